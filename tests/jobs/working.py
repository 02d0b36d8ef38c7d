"""A kit whose photographs say themselves whom they show, and a process that works on jobs with it.

Arguments of the process: the address of the store, seconds that each photograph takes, seconds after which a
job counts as left. It prints a line when it is ready; `test_crash.py` kills it.
"""

import io
import os
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import PIL.Image

from gallery.known import KEY, RULE
from mien.access.grants import local
from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.errors import BadRequest, InferenceError
from mien.gallery.gallery import Gallery
from mien.gallery.store import attachments
from mien.gallery.store.adding import add_collection
from mien.gallery.store.store import Store
from mien.jobs import desk
from mien.jobs.job import ENDED
from mien.jobs.photographs import Sent
from mien.jobs.results import results
from mien.jobs.runner import Runner
from mien.people.enrolling import Keeping
from mien.serving import Serving
from mien.settings import Settings

COLUMNS = ("box", "score", "points", "embedding")
# Numbers of people who make looking fail: an error, a mistake of ours, the end of the process.
FAILS, MISTAKEN, DEADLY = 200, 201, 202


def picture(*people, salt=0):
    """A photograph of these people, by number, as PNG."""
    rgb = np.random.default_rng([salt, *people]).integers(0, 255, (24, 24, 3), np.uint8)
    rgb[0, : 1 + len(people), 0] = [len(people), *people]
    into = io.BytesIO()
    PIL.Image.fromarray(rgb).save(into, "PNG")
    return into.getvalue()


def sent(name, *people, salt=0):
    folder, _, last = name.rpartition("/")
    return Sent(last, picture(*people, salt=salt), folder)


def many(count, *people):
    """So many different photographs."""
    return [sent(f"{i}.png", *people, salt=i) for i in range(count)]


def vector(person):
    return np.random.default_rng(person).normal(0, 1, 16).astype(np.float32)


class Eyes:
    """Finds whom the photographs name; may be slow, or wait until it is told to go on."""

    def __init__(self, seconds=0.0):
        self.seconds, self.seen = seconds, []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, images, columns):
        for item in images:
            if isinstance(item, Failure):
                yield item
                continue
            self.go_on.wait(30)
            time.sleep(self.seconds)
            self.seen.append(item.digest)
            yield self._looked_at(item)

    def _looked_at(self, image):
        count, *shown = image.rgb[0, :, 0].tolist()
        people = shown[:count]
        if DEADLY in people:
            os._exit(9)
        if MISTAKEN in people:
            raise ZeroDivisionError
        if FAILS in people:
            return Failure(image.source, InferenceError("It cannot be looked at."))
        box = np.float32([[i, i, i + 8, i + 8] for i in range(count)]).reshape(-1, 4)
        faces = Faces(image.size_wh, box, np.ones(count, np.float32))
        embedded = np.float32([vector(one) for one in people]).reshape(-1, 16)
        return Analysis(image, faces.with_(embedding=embedded, space="s"))


class Kit:
    """What jobs need of `mien.kit.Mien`."""

    def __init__(self, store, *, folders=(), **settings):
        self.settings = Settings(batch=4, server=Serving(folders=tuple(folders)), **settings)
        self._store, self._galleries = store, {}

    def store(self):
        return self._store

    def gallery(self, name):
        if name not in self._galleries:
            self._galleries[name] = Gallery(self._store, RULE, name)
        return self._galleries[name]

    def keeping(self, face="only", gate=None):
        return Keeping(COLUMNS, face=face, gate=gate or "off")

    def available(self):
        return COLUMNS

    def stages_for(self, columns):
        if unknown := set(columns) - set(COLUMNS):
            raise BadRequest(f"Unknown: {min(unknown)}.")


def make_collection(store, name):
    with store.writing() as writing:
        return add_collection(writing, name, RULE.space, "")


def ordered(kit, kind, photographs=(), collection=None, folder=None, caller=None, start=True, **options):
    """Order a job."""
    wanted = desk.Wanted(kind, collection, options, folder)
    return desk.order(kit, caller or local(), wanted, photographs, start=start).id


def now(kit, job_id, caller=None):
    return desk.look_up(kit.store(), caller or local(), job_id)


def rows(kit, job_id, caller=None, **part):
    return [one.row for one in results(kit.store(), now(kit, job_id, caller), **part)]


def attached(store, job_id):
    with store.reading() as snapshot:
        return attachments.names(snapshot, job_id)


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)
    return found


def ended(kit, job_id, seconds=30):
    """The job, once it has ended."""
    return wait_for(lambda: (kept := now(kit, job_id)).state in ENDED and kept, seconds)


@contextmanager
def working(kit, eyes=None, **options):
    """Somebody who works on jobs."""
    runner = Runner(kit, eyes or Eyes(), **options)
    runner.start()
    try:
        yield runner
    finally:
        if isinstance(eyes, Eyes):
            eyes.go_on.set()
        runner.close()


if __name__ == "__main__":
    with Store(sys.argv[1], KEY) as opened:
        process = Runner(Kit(opened), Eyes(float(sys.argv[2])), silent_s=float(sys.argv[3]))
        process.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()  # until it is closed
        process.close()
