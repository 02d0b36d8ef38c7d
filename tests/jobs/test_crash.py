"""A job survives the death of its process, at whatever moment it comes; MIEN_TEST_KILLS says how often."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jobs.working import (
    DEADLY,
    Kit,
    ended,
    make_collection,
    many,
    now,
    ordered,
    rows,
    sent,
    working,
)
from mien.access.grants import local
from mien.gallery.checking import check
from mien.gallery.store import reading
from mien.jobs import desk

TESTS = Path(__file__).resolve().parents[1]
KILLS = int(os.environ.get("MIEN_TEST_KILLS", "6"))


def process(address, seconds, silent_s):
    child = subprocess.Popen(
        [sys.executable, str(TESTS / "jobs" / "working.py"), address, str(seconds), str(silent_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)])},
    )
    assert child.stdout.readline() == b"ready\n"
    return child


def killed(child):
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()


def people_of(store):
    # A writer's turn: a server may still be ending what the killed process began.
    with store.writing(light=True) as snapshot:
        here = reading.collection_named(snapshot, "people")
        people = reading.people(snapshot, here.id)
        faces = reading.faces(snapshot, here.id)
    return {one.name: one.faces for one in people}, [one.provenance.digest for one in faces]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(lasting):
    """Two jobs at a time; the process that works on them is killed again and again, another goes on."""
    rng = np.random.default_rng(11)
    store = lasting.store()
    make_collection(store, "people")
    kit = Kit(store)
    count = 15 * KILLS  # more than is done by them all
    photographs = [sent(f"p{i % 5}/{i}.png", i % 5 + 1, salt=i) for i in range(count)]
    enrolling = ordered(kit, "enroll", photographs, "people")
    analyzing = ordered(kit, "analyze", many(count, 1))
    kept = {enrolling: [], analyzing: []}
    hit = 0
    for _ in range(KILLS):
        child = process(lasting.address, 0.03, 0.3)
        time.sleep(float(rng.uniform(0.3, 0.9)))
        killed(child)
        hit += "running" in {now(kit, job).state for job in kept}
        for job, before in kept.items():
            found = rows(kit, job)
            assert found[: len(before)] == before, "what was acknowledged is there"
            assert len(found) == now(kit, job).job.done
            kept[job] = found
        assert check(store).problems == ()
    assert hit > KILLS / 2, "it was not hit while it worked"
    with working(kit, silent_s=0.3):
        assert {ended(kit, job).state for job in kept} == {"done"}
    assert [row.source for row in rows(kit, analyzing)] == [f"{i}.png" for i in range(count)]
    found = rows(kit, enrolling)
    assert [row.source for row in found] == [f"{i}.png" for i in range(count)]
    assert {len(row.faces) + row.repeated for row in found} == {1}
    people, digests = people_of(store)
    assert people == {f"p{i}": count // 5 for i in range(5)}
    assert len(digests) == len(set(digests)) == count
    assert now(kit, enrolling).job.summary["people"] == 5


def test_a_photograph_that_kills_whoever_looks_is_given_up(tmp_path):
    from gallery.known import KEY
    from mien.gallery.store.store import Store

    address = str(tmp_path / "people.db")
    with Store(address, KEY) as store:
        kit = Kit(store)
        photographs = [*many(3, 1), sent("deadly.png", DEADLY), *many(3, 2)]
        job = ordered(kit, "analyze", photographs)
        deaths = 0
        while now(kit, job).state not in ("done", "failed"):
            child = process(address, 0, 0.3)
            while child.poll() is None and now(kit, job).state not in ("done", "failed"):
                time.sleep(0.02)
            deaths += child.poll() is not None
            killed(child)
            assert deaths < 8
        kept = now(kit, job)
        assert (kept.state, kept.job.done, kept.job.failed) == ("done", 7, 1)
        found = rows(kit, job)
        assert [row.error.code if row.error else None for row in found] == [None] * 3 + [
            "inference_error"
        ] + [None] * 3
        assert deaths >= 3


def test_what_was_uploaded_is_on_the_disk(tmp_path):
    """An acknowledged upload is there for whoever opens the store next, however its process ended."""
    script = (
        "import os, sys\n"
        "from gallery.known import KEY\n"
        "from jobs.working import Kit, many, ordered\n"
        "from mien.gallery.store.store import Store\n"
        "from mien.jobs import desk\n"
        "from mien.access.grants import local\n"
        "store = Store(sys.argv[1], KEY)\n"
        "job = ordered(Kit(store), 'analyze', many(3, 1), start=False)\n"
        "desk.add(store, local(), job, many(2, 2))\n"
        "print(job, flush=True)\n"
        "os._exit(9)\n"
    )
    address = str(tmp_path / "people.db")
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)])}
    done = subprocess.run(
        [sys.executable, "-c", script, address], capture_output=True, text=True, env=environ
    )
    assert done.returncode == 9, done.stderr
    from gallery.known import KEY
    from mien.gallery.store.store import Store

    with Store(address, KEY) as store:
        kit = Kit(store)
        job = done.stdout.strip()
        assert (now(kit, job).state, now(kit, job).job.total) == ("waiting", 5)
        desk.start(store, local(), job)
        with working(kit):
            ended(kit, job)
        assert len(rows(kit, job)) == 5
