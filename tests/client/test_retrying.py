import json

import pytest

from mien.client.call import Call, Received
from mien.client.retrying import ALL, NONE, REPEATABLE, Attempts, Lost, Retries
from mien.errors import BadRequest, MienError, Overloaded, RateLimited, ServerUnreachable, TimedOut

RETRIES = Retries(again=2, first_s=1, longest_s=30)


def call(repeat):
    return Call("POST", "/v1/x", bytes, repeat=repeat)


def answer(status, code, **headers):
    body = {"error": {"code": code, "message": "No.", "hint": ""}, "request_id": "r"}
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Received(status, named, json.dumps(body).encode())


UNREACHED = Lost(ServerUnreachable("It is off."), ALL)
BROKEN = Lost(ServerUnreachable("It broke off."), REPEATABLE)
LATE = Lost(TimedOut("It is slow."), NONE)


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (UNREACHED, {"safe", "keyed", "never"}),
        (BROKEN, {"safe", "keyed"}),
        (LATE, set()),
        (answer(429, "rate_limited"), {"safe", "keyed", "never"}),
        (answer(503, "overloaded"), {"safe", "keyed"}),
        (answer(503, "store_locked"), {"safe", "keyed"}),
        (Received(502, {}, b"<html>"), {"safe", "keyed"}),
        (answer(409, "request_in_progress"), {"safe", "keyed"}),
        (answer(409, "idempotency_mismatch"), set()),
        (answer(409, "person_exists"), set()),
        (answer(400, "bad_request"), set()),
        (answer(401, "unauthenticated"), set()),
        (answer(500, "defect"), set()),
        (answer(504, "timed_out"), set()),
        (answer(507, "store_full"), set()),
        (Received(302, {}, b""), set()),
    ],
)
def test_only_what_is_safe_is_asked_again(outcome, again):
    asked = set()
    for repeat in ("safe", "keyed", "never"):
        try:
            Attempts(call(repeat), RETRIES).after(outcome, 0.5)
        except MienError:
            continue
        asked.add(repeat)
    assert asked == again


def test_pauses_double_with_chance_and_end():
    for chance, share in ((0.0, 0.5), (1.0, 1.0), (0.25, 0.625)):
        attempts = Attempts(call("safe"), Retries(again=4, first_s=2, longest_s=9))
        assert [attempts.after(BROKEN, chance) for _ in range(4)] == [share * whole for whole in (2, 4, 8, 9)]
        with pytest.raises(ServerUnreachable, match="broke off"):
            attempts.after(BROKEN, chance)


def test_the_last_error_is_the_one_that_is_raised():
    attempts = Attempts(call("safe"), Retries(again=1, first_s=0))
    attempts.after(BROKEN, 0)
    with pytest.raises(Overloaded):
        attempts.after(answer(503, "overloaded"), 0)


def test_the_server_says_when_to_come_again():
    pause = Attempts(call("safe"), RETRIES).after(answer(503, "overloaded", retry_after="7"), 0.5)
    assert pause == 7 + 0.75
    assert Attempts(call("safe"), RETRIES).after(answer(429, "rate_limited", retry_after="30"), 0) >= 30


def test_whoever_is_to_wait_too_long_is_told_so_at_once():
    with pytest.raises(RateLimited) as caught:
        Attempts(call("safe"), RETRIES).after(answer(429, "rate_limited", retry_after="31"), 0.5)
    assert caught.value.retry_after_s == 31


def test_never_means_never():
    with pytest.raises(ServerUnreachable):
        Attempts(call("safe"), Retries(again=0)).after(UNREACHED, 0.5)


def test_very_many_attempts_stay_within_numbers():
    many = Retries(again=5000, first_s=1, longest_s=3)
    assert many.pause_s(5000, None, 1.0) == 3
    assert many.pause_s(5001, None, 1.0) is None


@pytest.mark.parametrize("wrong", [{"again": -1}, {"first_s": -0.1}, {"longest_s": -1}])
def test_negative_numbers_are_refused(wrong):
    with pytest.raises(BadRequest):
        Retries(**wrong)
