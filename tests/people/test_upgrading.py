import io
import shutil

import numpy as np
import PIL.Image
import pytest

from mien import Image
from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.errors import BadRequest, CollectionUnknown, NoFace, SpaceMismatch, UnreadableImage
from mien.gallery.checking import check
from mien.gallery.gallery import Gallery
from mien.gallery.overview import overview
from mien.gallery.rule import DecisionRule
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, Provenance, about
from mien.gallery.store.store import Store
from mien.gallery.vault.master import random_key
from mien.people.enrolling import photograph_digest
from mien.people.upgrading import upgrade

BOX = (10.0, 5.0, 30.0, 35.0)


@pytest.fixture
def store(tmp_path):
    with Store(str(tmp_path / "people.db"), random_key()) as opened:
        yield opened


@pytest.fixture
def photograph(tmp_path):
    """Write a picture of one colour, which is all that the new network looks at."""

    def written(shade):
        file = tmp_path / f"{shade}.png"
        PIL.Image.new("RGB", (60, 40), (shade, 0, 0)).save(file)
        return file

    return written


def old(store):
    return Gallery(store, DecisionRule("old:1", "cosine", 0.5, None), embedder="old")


def new(store):
    return Gallery(store, DecisionRule("new:1", "euclidean", 0.5, None), embedder="new")


def template(shade):
    return np.array([shade, 1, 0, 0, 0], np.float32)


def analyze(sources, _columns, seen=None):
    """A network that sees one face at `BOX`, or in the middle of a crop, and its colour."""
    for source in sources:
        if seen is not None:
            seen.append(source)
        try:
            picture = PIL.Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        except OSError:
            yield Failure(str(source), UnreadableImage(f"{source} is gone."))
            continue
        rgb = np.asarray(picture.convert("RGB"))
        faces = Faces(
            picture.size,
            np.array([BOX], np.float32),
            np.ones(1, np.float32),
            embedding=template(int(rgb[20, 20, 0]))[None],
            space="new:1",
        )
        yield Analysis(Image.from_rgb(rgb, None if isinstance(source, bytes) else str(source)), faces)


def enrol(gallery, name, file, *, crop=False):
    image = Image.from_rgb(np.asarray(PIL.Image.open(file)), str(file))
    provenance = Provenance(str(file), photograph_digest(image), BOX, (60, 40))
    face = NewFace(np.ones(4, np.float32), provenance, file.read_bytes() if crop else None)
    gallery.enroll_many([Newcomer(about(name), [face])], "old:1")


def test_people_are_found_by_the_new_network_afterwards(store, photograph):
    gallery = old(store)
    for name, shade in (("Ada", 50), ("Bo", 90)):
        enrol(gallery, name, photograph(shade))
    told = []
    done = upgrade(store, "default", "new:1", analyze, tell=lambda *step: told.append(step))
    assert (done.faces, done.lost, done.done) == (2, (), True)
    assert told[-1] == (2, 2)
    with pytest.raises(SpaceMismatch, match="new"):
        old(store)
    assert new(store).identify(template(90)[None], "new:1")[0][0].person == "Bo"
    assert check(store).problems == ()
    assert check(store).templates == 2, "the old ones are gone"


def test_a_kept_picture_does_where_the_photograph_is_gone(store, photograph):
    file = photograph(50)
    enrol(old(store), "Ada", file, crop=True)
    file.unlink()
    assert upgrade(store, "default", "new:1", analyze).done


def test_faces_that_are_lost_are_told_of_and_nothing_changes(store, photograph):
    gallery, gone, changed = old(store), photograph(50), photograph(60)
    enrol(gallery, "Ada", gone)
    enrol(gallery, "Bo", changed)
    enrol(gallery, "Cy", photograph(70))
    gallery.enroll("from nowhere", np.ones((1, 4), np.float32), "old:1")
    gone.unlink()
    shutil.copy(photograph(61), changed)
    done = upgrade(store, "default", "new:1", analyze)
    assert (done.faces, done.done) == (1, False)
    said = sorted(str(one.error) for one in done.lost)
    assert len(said) == 3
    assert any("is not the photograph that was enrolled" in one for one in said)
    assert any("neither a picture nor a photograph" in one for one in said)
    assert gallery.identify(np.ones((1, 4), np.float32), "old:1", k=4).person.shape == (1, 4)
    row = overview(store).collections[0]
    assert (row.space, row.next_space, row.unsearchable) == ("old:1", "new:1", 0)

    left = upgrade(store, "default", "new:1", analyze, leave_behind=True)
    assert left.done
    row = overview(store).collections[0]
    assert (row.space, row.next_space, row.people, row.unsearchable) == ("new:1", None, 4, 3)
    assert new(store).identify(template(70)[None], "new:1", k=9).person.tolist() == [["Cy"]]
    assert check(store).problems == ()


def test_it_goes_on_where_it_was_stopped(store, photograph):
    gallery = old(store)
    for shade in range(130):
        enrol(gallery, f"person {shade}", photograph(shade))
    seen = []

    def stops(sources, columns):
        if len(seen) == 100:
            raise KeyboardInterrupt
        yield from analyze(sources, columns, seen)

    with pytest.raises(KeyboardInterrupt):
        upgrade(store, "default", "new:1", stops)
    assert len(gallery.identify(np.ones((1, 4), np.float32), "old:1")[0]) == 1, "still searched as before"
    seen.clear()
    done = upgrade(store, "default", "new:1", lambda s, c: analyze(s, c, seen))
    assert (done.faces, done.done, len(seen)) == (130, True, 66), "64 were acknowledged"


def test_who_is_enrolled_meanwhile_comes_along(store, photograph):
    gallery = old(store)
    enrol(gallery, "Ada", photograph(50))
    late = [photograph(90)]

    def watched(sources, columns):
        if late:
            enrol(gallery, "Bo", late.pop())
        yield from analyze(sources, columns)

    assert upgrade(store, "default", "new:1", watched).faces == 2
    assert len(new(store)) == 2


def test_only_the_face_that_was_enrolled_counts(store, photograph):
    file = photograph(50)
    enrol(old(store), "Ada", file)

    def elsewhere(sources, columns):
        for found in analyze(sources, columns):
            moved = found.faces.box + np.float32(25)
            yield Analysis(found.image, found.faces.with_(box=moved))

    done = upgrade(store, "default", "new:1", elsewhere)
    assert [type(one.error) for one in done.lost] == [NoFace]


def test_another_space_starts_anew(store, photograph):
    gallery = old(store)
    enrol(gallery, "Ada", photograph(50))
    enrol(gallery, "Bo", photograph(60))
    (photograph(60)).unlink()
    assert not upgrade(store, "default", "third:1", analyze).done
    assert upgrade(store, "default", "new:1", analyze, leave_behind=True).done
    assert check(store).templates == 2, "one new, one left behind, and nothing of the third"


def test_there_must_be_something_to_upgrade(store):
    with pytest.raises(CollectionUnknown):
        upgrade(store, "default", "new:1", analyze)
    old(store)
    with pytest.raises(BadRequest, match="already"):
        upgrade(store, "default", "old:1", analyze)
