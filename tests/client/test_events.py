import pytest

from mien.answers.service import AliveRow
from mien.client.call import Call, row
from mien.client.events import SILENCE_S, Watch, Watching
from mien.client.retrying import NONE, REPEATABLE, Lost, Retries
from mien.errors import ServerUnreachable, TimedOut

CALL = Call("GET", "/v1/jobs/j/events", row(AliveRow))
LIVE = '{"status": "live"}'
GONE = Lost(ServerUnreachable("It is gone."), REPEATABLE)
SILENT = Lost(TimedOut("It is silent."), NONE)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def watching(timeout_s=None, again=2, clock=None):
    return Watching(Watch(CALL, timeout_s), Retries(again=again, first_s=1), clock or Clock())


def fed(one, *lines):
    return [event for event in map(one.feed, lines) if event is not None]


@pytest.mark.parametrize(
    "lines",
    [
        [f"data: {LIVE}", ""],
        [f"data:{LIVE}", ""],
        ["event: progress", f"data: {LIVE}", ""],
        ["data: {", 'data: "status": "live"', "data: }", ""],
        [": comment", "id: 7", "retry: 9", "nonsense", f"data: {LIVE}", ""],
        ["", "", f"data: {LIVE}", ""],
    ],
)
def test_an_event_ends_with_an_empty_line(lines):
    one = watching()
    assert fed(one, *lines[:-1]) == []
    assert fed(one, lines[-1]) == [AliveRow("live")]
    assert not one.over()


def test_the_end_is_an_event():
    one = watching()
    assert fed(one, "event: end", f"data: {LIVE}", "") == [AliveRow("live")]
    assert one.over()
    quiet = watching()
    assert fed(quiet, "event: end", "data:", "") == []
    assert quiet.over()


def test_names_of_events_do_not_outlive_them():
    one = watching()
    fed(one, "event: end", f"data: {LIVE}")
    one.broke(GONE, 1.0)
    assert fed(one, f"data: {LIVE}", "") == [AliveRow("live")]
    assert not one.over()


def test_what_is_no_event_of_mien_is_told_of():
    with pytest.raises(ServerUnreachable, match="AliveRow"):
        fed(watching(), "data: <html>", "")


def test_patience_is_what_is_left():
    clock = Clock()
    assert watching(clock=clock).patience_s() == SILENCE_S
    one = watching(timeout_s=100, clock=clock)
    assert one.patience_s() == SILENCE_S
    clock.now += 90
    assert one.patience_s() == 10
    clock.now += 10
    with pytest.raises(TimedOut, match="within 100 s"):
        one.patience_s()


def test_breaks_in_a_row_are_counted():
    one = watching(again=2)
    assert [one.broke(GONE, 1.0), one.broke(None, 1.0)] == [1, 2]
    assert [one.broke(SILENT, 1.0) for _ in range(9)] == [0] * 9
    fed(one, f"data: {LIVE}", "")
    assert [one.broke(GONE, 1.0), one.broke(GONE, 0.0)] == [1, 1]
    with pytest.raises(ServerUnreachable, match="It is gone"):
        one.broke(GONE, 1.0)
