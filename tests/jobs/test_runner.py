import threading
import time

import pytest

from gallery.known import newcomer
from jobs.working import (
    FAILS,
    MISTAKEN,
    Eyes,
    Kit,
    attached,
    ended,
    make_collection,
    many,
    now,
    ordered,
    rows,
    sent,
    vector,
    wait_for,
    working,
)
from mien.access.grants import local
from mien.errors import StoreLocked
from mien.gallery.store import documents
from mien.jobs import desk, holding
from mien.jobs.holding import Lost, acknowledge, claim
from mien.jobs.task import Step


def test_every_photograph_gets_its_result(kit):
    job = ordered(kit, "analyze", [*many(9, 1), sent("nobody.png"), sent("two.png", 1, 2)])
    with working(kit):
        kept = ended(kit, job)
    assert (kept.state, kept.job.done, kept.job.failed, kept.job.total) == ("done", 11, 0, 11)
    found = rows(kit, job)
    assert [one.source for one in found] == [*(f"{i}.png" for i in range(9)), "nobody.png", "two.png"]
    assert [len(one.faces) for one in found] == [1] * 9 + [0, 2]
    assert kept.job.summary == {"faces": 11}
    assert kept.job.started >= kept.created
    assert kept.job.finished >= kept.job.started


def test_photographs_and_wishes_do_not_outlast_the_work(kit, store):
    job = ordered(kit, "enroll", [sent("1.png", 1)], "people", person="Ada", tags=["x"])
    assert attached(store, job) == ("photo-000001",)
    with working(kit):
        kept = ended(kit, job)
    assert attached(store, job) == ("result-000001",)
    assert (kept.job.options, kept.job.carried, kept.job.holder) == ({}, {}, "")


def test_what_fails_is_a_result(kit):
    broken = [sent("a.png", 1), sent("b.png", FAILS), sent("c.png", 1)]
    broken.append(type(broken[0])("d.png", b"no picture"))
    job = ordered(kit, "analyze", broken)
    with working(kit):
        kept = ended(kit, job)
    assert (kept.state, kept.job.done, kept.job.failed) == ("done", 4, 2)
    codes = [one.error and one.error.code for one in rows(kit, job)]
    assert codes == [None, "inference_error", None, "unreadable_image"]


def test_a_mistake_of_ours_fails_its_job_and_no_other(kit):
    told = []
    bad = ordered(kit, "analyze", [sent("a.png", MISTAKEN)])
    good = ordered(kit, "analyze", [sent("b.png", 1)])
    with working(kit, defect=told.append):
        assert ended(kit, bad).state == "failed"
        assert ended(kit, good).state == "done"
    assert now(kit, bad).job.error.code == "defect"
    assert [type(one) for one in told] == [ZeroDivisionError]


def test_an_error_of_the_whole_job_is_told(kit, store):
    album = make_collection(store, "album")
    job = ordered(kit, "identify", [sent("a.png", 1)], "album")
    with store.writing() as writing:
        writing.connection.exec_driver_sql(f"UPDATE collection SET space = 'other' WHERE id = '{album.id}'")
    kit._galleries.clear()
    with working(kit):
        kept = ended(kit, job)
    assert (kept.state, kept.job.error.code, kept.job.done) == ("failed", "space_mismatch", 0)
    assert attached(store, job) == ()


def test_the_oldest_comes_first(kit):
    eyes = Eyes()
    ids = [ordered(kit, "analyze", [sent("a.png", 1, salt=i)]) for i in range(3)]
    with working(kit, eyes):
        finished = [ended(kit, one).job.finished for one in ids]
    assert finished == sorted(finished)
    assert len(eyes.seen) == 3


def test_what_runs_is_cancelled_and_its_results_stay(kit, store):
    eyes = Eyes()
    eyes.go_on.clear()
    job = ordered(kit, "analyze", many(40, 1))
    with working(kit, eyes):
        wait_for(lambda: now(kit, job).state == "running")
        kept = desk.cancel(store, local(), job)
        assert (kept.state, kept.job.cancelling) == ("running", True)
        eyes.go_on.set()
        kept = ended(kit, job)
    assert kept.state == "cancelled"
    assert 0 < kept.job.done < 40
    assert len(rows(kit, job)) == kept.job.done
    assert not [name for name in attached(store, job) if name.startswith("photo-")]
    assert desk.cancel(store, local(), job).state == "cancelled"


def test_what_ends_early_is_not_done(kit, store):
    """Cancelled, or told to end, after a step was kept and before the next photograph was read."""
    holder = {}

    class Slow(Eyes):
        def __call__(self, images, columns):
            for count, item in enumerate(images, 1):
                yield self._looked_at(item)
                if count == 4:
                    images.close()  # as if the next had not been read yet
                    holder["then"]()
                    return

    for then, state in (("cancel", "cancelled"), ("close", "queued")):
        job = ordered(kit, "analyze", many(12, 1))
        with working(kit, Slow(), silent_s=0.3) as runner:
            holder["then"] = {
                "cancel": lambda job=job: (desk.cancel(store, local(), job), time.sleep(0.3)),
                "close": lambda runner=runner: (runner._stopping.set(), time.sleep(0.3)),
            }[then]
            wait_for(lambda job=job: now(kit, job).job.done == 4)
            wait_for(lambda job=job: now(kit, job).state != "running")
        assert (now(kit, job).state, now(kit, job).job.done) == (state, 4)


def test_long_portions_are_cancelled_too(kit, store):
    make_collection(store, "album")
    eyes = Eyes(0.05)
    job = ordered(kit, "cluster", many(150, 1), "album")
    with working(kit, eyes, silent_s=0.3):
        wait_for(lambda: eyes.seen)
        desk.cancel(store, local(), job)
        kept = ended(kit, job)
    assert kept.state == "cancelled"
    assert 0 < kept.job.done < 150, "a portion is 200"
    assert kept.job.summary["faces"] == kept.job.done == len(rows(kit, job))


def test_what_is_deleted_ends(kit, store):
    eyes = Eyes()
    eyes.go_on.clear()
    job = ordered(kit, "analyze", many(40, 1))
    other = ordered(kit, "analyze", many(1, 1))
    with working(kit, eyes, silent_s=0.3):
        wait_for(lambda: now(kit, job).state == "running")
        desk.delete(store, local(), job)
        eyes.go_on.set()
        assert ended(kit, other).state == "done"
    assert len(eyes.seen) < 40
    assert desk.jobs(store, local())[-1].id == other
    assert attached(store, job) == ()


def test_whoever_ends_lets_others_go_on(kit, store):
    eyes = Eyes(0.02)
    job = ordered(kit, "analyze", many(60, 1))
    with working(kit, eyes):
        wait_for(lambda: now(kit, job).job.done)
    kept = now(kit, job)
    assert kept.state == "queued", "at once, not after half a minute"
    assert len(rows(kit, job)) == kept.job.done == len(eyes.seen) < 60
    again = Eyes()
    with working(Kit(store), again):
        assert ended(kit, job).job.done == 60
    assert len(eyes.seen) + len(again.seen) == 60, "nothing was looked at twice"
    assert [one.source for one in rows(kit, job)] == [f"{i}.png" for i in range(60)]


def test_two_share_the_work_of_one_store(kit, store):
    eyes, others = Eyes(0.005), Eyes(0.005)
    ids = [ordered(kit, "analyze", many(6, number)) for number in range(12)]
    with working(kit, eyes), working(Kit(store), others):
        assert {ended(kit, one).state for one in ids} == {"done"}
    assert [len(rows(kit, one)) for one in ids] == [6] * 12
    assert len(eyes.seen) + len(others.seen) == 72
    assert eyes.seen
    assert others.seen


def test_a_job_is_claimed_by_one(lasting):
    store = lasting.store()
    kit = Kit(store)
    for number in range(6):
        ordered(kit, "analyze", many(1, number))
    stores = [lasting.store() for _ in range(3)]
    taken, together = [], threading.Barrier(3)

    def take(opened):
        together.wait()
        while found := claim(opened):
            taken.append(found[0].id)

    threads = [threading.Thread(target=take, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 6


def test_who_lost_a_job_keeps_nothing(kit, store):
    job = ordered(kit, "analyze", many(2, 1))
    first, _ = claim(store)
    assert claim(store) is None, "it is being worked on"
    second, kept = claim(store, silent_s=-1)
    assert (first.id, kept.job.tries) == (job, 2)
    for late in (
        lambda: acknowledge(store, first, Step((), 2)),
        lambda: holding.beat(store, first),
        lambda: holding.finish(store, first, "done"),
        lambda: holding.give_back(store, first),
    ):
        with pytest.raises(Lost):
            late()
    assert now(kit, job).job.done == 0
    holding.beat(store, second)
    acknowledge(store, second, Step((), 1))
    assert (now(kit, job).job.done, attached(store, job)) == (1, ("photo-000002",))


def test_a_store_that_is_busy_is_waited_for(kit, store, monkeypatch):
    monkeypatch.setattr("mien.jobs.runner._PAUSE_S", 0.05)
    job = ordered(kit, "analyze", many(4, 1))
    once = iter([StoreLocked("Somebody else has it.")])

    class Busy(Eyes):
        def __call__(self, images, columns):
            for error in once:
                raise error
            yield from super().__call__(images, columns)

    with working(kit, Busy()):
        assert ended(kit, job).state == "done"
    assert len(rows(kit, job)) == 4


def test_a_key_that_was_revoked_does_nothing_more(kit, store):
    from mien.access import keys
    from mien.access.grants import caller_of

    key, _ = keys.create(store, "one", ["detect", "search"], collections=["people"])
    ids = [
        ordered(kit, "analyze", many(1, 1), caller=caller_of(key)),
        ordered(kit, "identify", many(1, 1), "people", caller=caller_of(key)),
    ]
    keys.edit(store, key.id, scopes=["detect"])
    with working(kit):
        states = [ended(kit, one).state for one in ids]
        assert states == ["done", "failed"]
        keys.revoke(store, key.id)
        late = ordered(kit, "analyze", many(1, 1), caller=caller_of(key))
        kept = ended(kit, late)
    assert (kept.state, kept.job.error.code) == ("failed", "forbidden")
    assert rows(kit, late) == []


def test_the_log_names_who_made_the_job(kit, store):
    from mien.access import keys
    from mien.access.grants import caller_of
    from mien.gallery.store import audit

    key, _ = keys.create(store, "one", ["enroll"])
    job = ordered(kit, "enroll", [sent("a.png", 1)], "people", person="Ada", caller=caller_of(key))
    with working(kit):
        ended(kit, job)
    with store.reading() as snapshot:
        found = [(one.actor, one.action) for one in audit.entries(snapshot.connection)]
    assert (f"key:{key.id}", "enrolled") in found
    assert not [one for one in found if "Ada" in str(one)]


def test_old_jobs_are_deleted(kit, store):
    with working(kit):
        old = ordered(kit, "analyze", many(1, 1))
        ended(kit, old)
    left = ordered(kit, "analyze", many(1, 1), start=False)
    new = ordered(kit, "analyze", many(1, 2))
    with working(kit):
        ended(kit, new)
    queued = ordered(kit, "analyze", many(1, 3))
    with store.writing(counted=False) as writing:
        gone = "', '".join([old, left, queued])
        writing.connection.exec_driver_sql(
            f"UPDATE document SET changed = '2020-01-01T00:00:00.000Z' WHERE id IN ('{gone}')"
        )
    assert set(holding.old_jobs(store)) == {old, left}
    with working(kit):
        ended(kit, queued)
        wait_for(lambda: not holding.old_jobs(store))
    with store.reading() as snapshot:
        assert {one.id for one in documents.listed(snapshot, "job")} == {new, queued}
    assert attached(store, left) == ()


def test_people_are_not_written_for_a_beat(kit, store):
    """Indexes look what changed when the number rises; jobs must not make them."""
    kit.gallery("people").enroll_many([newcomer("Ada", vector(1))], "s")
    before = store.change
    job = ordered(kit, "analyze", many(9, 1))
    with working(kit):
        ended(kit, job)
    assert store.change == before
