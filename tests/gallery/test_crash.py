"""What was acknowledged survives the death of the process, at whatever moment it comes.

MIEN_TEST_KILLS says how often: 200 on SQLite and a quarter of it on PostgreSQL with `make test-crash`.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gallery.crashing import vector
from gallery.known import KEY, RULE
from mien.gallery.checking import check
from mien.gallery.gallery import Gallery
from mien.gallery.store import reading
from mien.gallery.store.store import Store

TESTS = Path(__file__).resolve().parents[1]
KILLS = int(os.environ.get("MIEN_TEST_KILLS", "12"))


def killed_at_random(address, seed, after_s, *, working):
    """Let a process change the store for a while, or only open it, then kill it.

    Returns:
        The operations that it began, in order, and how many of them it finished.
    """
    child = subprocess.Popen(
        [sys.executable, str(TESTS / "gallery" / "crashing.py"), address, str(seed)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)])},
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(child.stdout))
    reader.start()
    while working and not lines and child.poll() is None:
        time.sleep(0.005)
    time.sleep(after_s)
    child.kill()
    assert child.wait() == -9, "it ended by itself"
    reader.join()
    child.stdout.close()
    said = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return [line for line in said if line["state"] == "begun"], sum(line["state"] == "done" for line in said)


def changed(people, act):
    """Who has which faces after an operation."""
    after = {name: set(faces) for name, faces in people.items()}
    if act["kind"] == "enroll":
        after |= {name: set(faces) for name, faces in act["people"].items()}
    elif act["kind"] == "merge":
        after[act["into"]] |= after.pop(act["other"])
    elif act["kind"] == "move":
        after[act["who"]].remove(act["face"])
        after[act["to"]].add(act["face"])
    elif act["kind"] == "forget":
        del after[act["who"]]
    return after


def looked_at(store, gallery):
    """Who has which faces; each template has to be that of its face."""
    # A writer's turn: the server may still be ending what the killed process began.
    with store.writing(light=True) as snapshot:
        people = reading.people(snapshot, gallery.collection.id)
        faces = reading.faces(snapshot, gallery.collection.id)
        templates = reading.templates(snapshot, gallery.collection)
    content = dict(zip(templates.face.tolist(), templates.vectors, strict=True))
    found = {person.id: set() for person in people}
    for face in faces:
        np.testing.assert_array_equal(content.pop(face.id.encode()), vector(face.provenance.source))
        found[face.person_id].add(face.provenance.source)
    assert content == {}, "templates of nobody"
    assert [len(found[person.id]) for person in people] == [person.faces for person in people]
    return {person.name: found[person.id] for person in people}


def found_by_search(gallery, people):
    owner = {face: name for name, faces in people.items() for face in faces}
    if owner:
        matches = gallery.identify(np.stack([vector(face) for face in owner]), "s")
        assert matches.person[:, 0].tolist() == list(owner.values())
        assert matches.distance.max() < 1e-3


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(lasting):
    rng = np.random.default_rng(7)
    people, acknowledged, in_flight = {}, 0, {"whole": 0, "absent": 0}
    kills = KILLS if lasting.kind == "sqlite" else KILLS // 4
    for turn in range(kills):
        working = turn % 5 > 0
        after_s = rng.exponential(0.2) if working else rng.uniform(0.2, 1.2)
        begun, done = killed_at_random(lasting.address, turn, float(after_s), working=working)
        for act in begun[:done]:
            people = changed(people, act)
        with Store(lasting.address, KEY) as store:
            assert check(store).problems == ()
            gallery = Gallery(store, RULE)
            here = looked_at(store, gallery)
            if len(begun) > done:
                after = changed(people, begun[-1])
                in_flight["whole" if here == after else "absent"] += 1
                people = after if here == after else people
            assert here == people
            found_by_search(gallery, people)
        acknowledged += done
    if kills >= 10:
        assert acknowledged > kills
        assert sum(in_flight.values()) > kills / 10, "it was not hit while it worked"
    print(f"{lasting.kind}: {kills} kills, {acknowledged} acknowledged, under way: {in_flight}")  # noqa: T201
