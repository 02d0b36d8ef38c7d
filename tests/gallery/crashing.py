"""A process that changes a store without end, and says what it has finished; `test_crash.py` kills it.

Arguments: the address of the store, and a seed. Each line it prints is JSON and flushed: before an operation
begins what it is going to change, after it was acknowledged that it is done. A face is called by the name it
was enrolled under and a number; from this follow its vector and the source that is kept with it.
"""

import json
import sys

import numpy as np

from gallery.known import KEY, RULE, newcomer
from mien.gallery.gallery import Gallery
from mien.gallery.store.records import NewFace, Provenance
from mien.gallery.store.store import Store


def vector(face):
    """The vector of a face, far from everybody else's."""
    seed = np.frombuffer(face.encode().ljust(64, b"."), np.uint8)
    return np.random.default_rng(seed).normal(0, 1, 16).astype(np.float32)


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Loop:
    """Does one thing after another, drawn at random."""

    def __init__(self, gallery, seed):
        self.gallery, self.rng = gallery, np.random.default_rng(seed)
        self.seed, self.serial = seed, 0

    def act(self, change, **told):
        say(state="begun", **told)
        change()
        say(state="done")

    def enroll(self, most=1):
        people = {}
        for _ in range(self.rng.integers(1, most + 1)):
            self.serial += 1
            name = f"{self.seed}-{self.serial}"
            people[name] = [f"{name}|{i}" for i in range(self.rng.integers(1, 4))]
        new = [
            newcomer(name, *(NewFace(vector(one), Provenance(one)) for one in faces), note="x" * 50)
            for name, faces in people.items()
        ]
        self.act(lambda: self.gallery.enroll_many(new, "s"), kind="enroll", people=people)

    def merge(self):
        into, other = self.two()
        self.act(lambda: self.gallery.merge(into, [other]), kind="merge", into=into, other=other)

    def move(self):
        who, to = self.two()
        for face in self.gallery.faces(who)[:1]:
            source = face.provenance.source
            self.act(lambda: self.gallery.move([face.id], to), kind="move", who=who, to=to, face=source)  # noqa: B023

    def forget(self):
        who, _ = self.two()
        self.act(lambda: self.gallery.forget(who), kind="forget", who=who)

    def identify(self):
        self.gallery.identify(self.rng.normal(0, 1, (1, 16)).astype(np.float32), "s")

    def two(self):
        while len(known := [person.name for person in self.gallery.people()]) < 2:
            self.enroll()
        return self.rng.choice(known, 2, replace=False).tolist()

    def run(self):
        acts = [self.enroll, lambda: self.enroll(12), self.merge, self.move, self.forget, self.identify]
        while True:
            acts[self.rng.choice(len(acts), p=[0.3, 0.2, 0.15, 0.15, 0.1, 0.1])]()


if __name__ == "__main__":
    with Store(sys.argv[1], KEY) as opened:
        opened_gallery = Gallery(opened, RULE)
        say(state="ready")
        Loop(opened_gallery, int(sys.argv[2])).run()
