import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sa

from mien import Mien, load_settings
from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import FaceUnknown, PersonExists, PersonUnknown, SpaceMismatch, UnreadableImage
from mien.gallery.gallery import Gallery, memory_gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.sql.schema import COLLECTION, FACE, TEMPLATE
from mien.gallery.store import audit, reading
from mien.gallery.store.store import Store
from mien.gallery.vault.master import decode_key
from mien.people import album_grouping, albums
from mien.people.album_groups import groups, move, name, typical_distances
from mien.people.albums import add
from mien.people.enrolling import Keeping

RULE = DecisionRule("s", "cosine", 0.5, 0.001)
KEEPING = Keeping(("embedding",), ("d@1", "e@1"))


class World:
    """Photographs made of nothing: files whose bytes name them, and what an analysis would find on each."""

    def __init__(self, folder, rng):
        self.folder, self.rng = folder, rng
        self.found, self.seen, self.people = {}, [], {}

    def face(self, person, noise=0.05):
        """A template near that of a person."""
        if person not in self.people:
            self.people[person] = self.rng.normal(size=32) / np.sqrt(32)
        return self.people[person] + noise * self.rng.normal(size=32) / np.sqrt(32)

    def photograph(self, *people, noise=0.05, of=None):
        """A new file that shows people."""
        path = self.folder / f"{len(self.found):04}.jpg"
        path.write_bytes(f"photograph {len(self.found)}".encode())
        rows = [self.face(person, noise) for person in people] if of is None else of
        self.found[path.name] = (people, np.array(rows, np.float32))
        return path

    def analyze(self, sources, columns):
        assert tuple(columns) == KEEPING.columns
        for source in sources:
            self.seen.append(Path(source).name)
            if not Path(source).exists():
                yield Failure(str(source), UnreadableImage(f"{Path(source).name} is gone"))
                continue
            _, vectors = self.found[Path(source).read_bytes().decode().split()[1].zfill(4) + ".jpg"]
            yield Analysis(picture(str(source)), faces_of(vectors))


def picture(source=None, shade=0):
    return Image.from_rgb(np.full((40, 60, 3), shade, np.uint8), source)


def faces_of(vectors, space="s"):
    count = len(vectors)
    if not count:
        return Faces((60, 40), np.zeros((0, 4)), np.zeros(0))
    box = np.array([[5 + 3 * i, 5, 20 + 3 * i, 25] for i in range(count)])
    return Faces((60, 40), box, np.ones(count), embedding=vectors, space=space)


@pytest.fixture
def world(tmp_path, rng):
    folder = tmp_path / "photographs"
    folder.mkdir()
    return World(folder, rng)


@pytest.fixture
def album():
    with memory_gallery(RULE, "album") as made:
        yield made


def kept(album):
    """Every kept face: photograph, place in it, and whose it is."""
    with album.store.reading() as snapshot:
        return [
            SimpleNamespace(
                id=face.id,
                photograph=Path(face.provenance.source).name,
                row=round((face.provenance.box[0] - 5) / 3),
                group=face.person_id,
                by_hand=face.by_hand,
                has_crop=face.has_crop,
                provenance=face.provenance,
            )
            for face in reading.faces(snapshot, album.collection.id)
        ]


def truth(world, album):
    """Which groups each person's faces are in."""
    found = defaultdict(set)
    for face in kept(album):
        found[world.found[face.photograph][0][face.row]].add(face.group)
    return found


def entries(album):
    with album.store.reading() as snapshot:
        return list(audit.entries(snapshot.connection))


def assert_one_group_each(world, album):
    found = truth(world, album)
    assert all(len(where) == 1 for where in found.values()), found
    assert len({next(iter(where)) for where in found.values()}) == len(found)


def test_every_face_is_kept_and_grouped(world, album):
    for people in ("AB", "AC", "BCD", "A", "", "DB", "C"):
        world.photograph(*people)
    done = add(album, world.folder, world.analyze, KEEPING)
    assert (done.photographs, done.faces, done.groups, done.new_groups) == (7, 11, 4, 4)
    assert (done.repeated, done.refused, done.merged_groups, done.failures) == (0, 0, 0, ())
    assert_one_group_each(world, album)
    everybody = album.people()
    assert [person.about.name for person in everybody] == [None] * 4
    assert not any(face.by_hand for face in kept(album))
    one = kept(album)[0].provenance
    assert one.source.endswith(".jpg")
    assert (one.size_wh, one.packs, len(one.digest)) == ((60, 40), ("d@1", "e@1"), 64)


def test_what_is_in_the_album_is_not_looked_at_again(world, album, tmp_path):
    first, second = world.photograph("A"), world.photograph("A", "B")
    add(album, [first, second], world.analyze, KEEPING)
    renamed = first.with_name("another name.jpg")
    renamed.write_bytes(first.read_bytes())
    world.seen.clear()
    before = {(face.id, face.group) for face in kept(album)}
    done = add(album, [renamed, first, world.folder], world.analyze, KEEPING)
    assert (world.seen, done.photographs, done.faces, done.repeated) == ([], 0, 0, 5)
    assert {(face.id, face.group) for face in kept(album)} == before


def test_a_photograph_that_is_given_twice_counts_once(world, album):
    path = world.photograph("A")
    copy = path.with_name("copy.jpg")
    copy.write_bytes(path.read_bytes())
    done = add(album, [path, copy, path], world.analyze, KEEPING)
    assert (done.photographs, done.repeated, done.faces) == (1, 2, 1)


def test_pictures_from_memory_are_recognised_by_their_pixels(album):
    def analyze(sources, columns):
        for source in sources:
            yield Analysis(source, faces_of(np.array([[float(source.rgb[0, 0, 0]), 1, 0]], np.float32)))

    images = [picture(shade=shade) for shade in (1, 1, 200)]
    done = add(album, images, analyze, KEEPING)
    assert (done.photographs, done.repeated, done.faces) == (2, 1, 2)
    assert add(album, images, analyze, KEEPING).faces == 0


@pytest.mark.parametrize("portion", [1, 3, 200])
def test_groups_keep_their_identifiers_when_photographs_are_added(world, album, portion):
    letters = "ABCDEF"
    first = [world.photograph(*world.rng.permutation(list(letters[:4]))[:2]) for _ in range(10)]
    add(album, first, world.analyze, KEEPING, portion=portion)
    assert_one_group_each(world, album)
    before = truth(world, album)
    more = [world.photograph(*world.rng.permutation(list(letters))[:3]) for _ in range(10)]
    done = add(album, more, world.analyze, KEEPING, portion=portion)
    assert_one_group_each(world, album)
    after = truth(world, album)
    assert all(after[person] == where for person, where in before.items())
    assert done.new_groups == len(after) - len(before)
    assert (done.groups, done.merged_groups) == (len(after), 0)


def test_faces_of_one_photograph_are_of_several_people(world, album):
    # Twins: nobody could tell them apart, but they stand side by side.
    world.photograph("twin", "twin")
    add(album, world.folder, world.analyze, KEEPING)
    assert len({face.group for face in kept(album)}) == 2


def line(degrees):
    """A template in a plane, at an angle."""
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0.0]


def bridged(world, album):
    """Two groups that turn out to be one when a face between them comes; the larger one has two faces."""
    add(album, [world.photograph(of=[line(0)]), world.photograph(of=[line(4)])], world.analyze, KEEPING)
    add(album, [world.photograph(of=[line(68)])], world.analyze, KEEPING)
    before = {face.photograph: face.group for face in kept(album)}
    assert before["0000.jpg"] == before["0001.jpg"] != before["0002.jpg"]
    return before


def test_groups_merge_when_a_face_between_them_comes(world):
    with memory_gallery(DecisionRule("s", "cosine", 0.55, 1e-6), "album") as album:
        before = bridged(world, album)
        between = [world.photograph(of=[line(degrees)]) for degrees in (26, 30, 34)]
        done = add(album, between, world.analyze, KEEPING)
        assert (done.merged_groups, done.new_groups, done.groups) == (1, 0, 1)
        assert {face.group for face in kept(album)} == {before["0000.jpg"]}, "the larger gives its identifier"
        assert not any(face.by_hand for face in kept(album)), "nobody but the machine said so"
        assert np.isfinite(album.templates().vectors).all(), "what was merged can be opened"


def test_what_merged_within_one_run_was_never_there(world):
    with memory_gallery(DecisionRule("s", "cosine", 0.55, 1e-6), "album") as album:
        angles = (0, 4, 68, 26, 30, 34)
        photographs = [world.photograph(of=[line(degrees)]) for degrees in angles]
        done = add(album, photographs, world.analyze, KEEPING, portion=1)
        assert (done.new_groups, done.merged_groups, done.groups) == (1, 0, 1)


def test_named_people_keep_their_names_and_are_never_merged(world):
    with memory_gallery(DecisionRule("s", "cosine", 0.55, 1e-6), "album") as album:
        before = bridged(world, album)
        name(album, before["0000.jpg"], "Ada")
        name(album, before["0002.jpg"], "Bo")
        add(album, [world.photograph(of=[line(d)]) for d in (26, 30, 34)], world.analyze, KEEPING)
        named = {person.about.name: person.id for person in album.people()}
        assert (named["Ada"], named["Bo"]) == (before["0000.jpg"], before["0002.jpg"])
        groups_of = {face.photograph: face.group for face in kept(album)}
        assert groups_of["0003.jpg"] == groups_of["0000.jpg"]
        assert {groups_of["0002.jpg"]} & {groups_of["0000.jpg"]} == set()


def test_a_named_person_takes_in_a_larger_group_without_a_name(world):
    with memory_gallery(DecisionRule("s", "cosine", 0.55, 1e-6), "album") as album:
        before = bridged(world, album)
        name(album, before["0002.jpg"], "Bo")
        done = add(album, [world.photograph(of=[line(d)]) for d in (26, 30, 34)], world.analyze, KEEPING)
        (person,) = album.people()
        assert (person.id, person.about.name, person.faces) == (before["0002.jpg"], "Bo", 6)
        assert done.merged_groups == 1


def test_a_face_that_was_moved_away_never_comes_back(world, album):
    for _ in range(4):
        world.photograph("A")
    add(album, world.folder, world.analyze, KEEPING)
    face, *others = kept(album)
    alone = move(album, [face.id])
    assert (alone.faces, alone.about.name) == (1, None)
    for _ in range(3):
        world.photograph("A")
        add(album, world.folder, world.analyze, KEEPING)
        owner = {one.id: one.group for one in kept(album)}
        assert owner[face.id] != owner[others[0].id]
        assert len({owner[one.id] for one in others}) == 1


def test_a_face_that_was_moved_to_somebody_stays_there(world, album):
    world.photograph("A"), world.photograph("A"), world.photograph("B")
    add(album, world.folder, world.analyze, KEEPING)
    one, two, other = sorted(kept(album), key=lambda face: face.photograph)
    assert move(album, [two.id], other.group).id == other.group
    add(album, [world.photograph("A"), world.photograph("B")], world.analyze, KEEPING)
    owner = {face.photograph: face.group for face in kept(album)}
    assert owner["0001.jpg"] == owner["0002.jpg"] == other.group
    assert owner["0000.jpg"] == one.group


def test_the_last_face_leaves_no_empty_group(world, album):
    world.photograph("A"), world.photograph("B")
    add(album, world.folder, world.analyze, KEEPING)
    one, other = kept(album)
    move(album, [one.id], other.group)
    assert [person.id for person in album.people()] == [other.group]
    assert add(album, world.folder, world.analyze, KEEPING).groups == 1


def test_moving_needs_faces_and_groups_that_are_there(world, album):
    world.photograph("A")
    add(album, world.folder, world.analyze, KEEPING)
    (face,) = kept(album)
    with pytest.raises(PersonUnknown):
        move(album, [face.id], "nobody")
    with pytest.raises(FaceUnknown):
        move(album, ["nothing"])
    assert [person.id for person in album.people()] == [face.group], "and nobody was made"


def test_a_name_is_somebodys_once(world, album):
    world.photograph("A"), world.photograph("B")
    add(album, world.folder, world.analyze, KEEPING)
    one, other = (person.id for person in album.people())
    name(album, one, "Ada")
    with pytest.raises(PersonExists):
        name(album, other, "Ada")


def test_who_is_taken_over_into_the_gallery_does_not_come_back(world, album):
    world.photograph("A", "B"), world.photograph("A"), world.photograph("B")
    add(album, world.folder, world.analyze, KEEPING)
    (group,) = truth(world, album)["A"]
    people = Gallery(album.store, RULE, "people")
    person = name(album, group, "Ada", people)
    assert (person.about.name, person.faces) == ("Ada", 2)
    assert people.identify(np.float32([world.face("A")]), "s").best(0).person == "Ada"
    assert truth(world, album).keys() == {"B"}
    world.seen.clear()
    done = add(album, world.folder, world.analyze, KEEPING, besides=("people", "no such collection"))
    assert (world.seen, done.faces) == (["0001.jpg"], 0), "its photograph is looked at, its face is not kept"
    assert truth(world, album).keys() == {"B"}
    assert add(album, world.folder, world.analyze, KEEPING).faces == 1, "unless it is wanted"


def test_failures_are_told_of_and_stop_nobody(world, album):
    gone = world.folder / "9999.jpg"
    good, nobody = world.photograph("A"), world.photograph()
    zeros = world.photograph(of=[np.zeros(32), world.face("A")])
    done = add(album, [gone, good, nobody, zeros], world.analyze, KEEPING)
    assert [(Path(one.source).name, one.error.code) for one in done.failures] == [
        ("9999.jpg", "unreadable_image"),
        (zeros.name, "bad_request"),
    ]
    assert (done.photographs, done.faces, done.groups) == (4, 2, 1)


def test_nothing_to_add(album, world):
    done = add(album, world.folder, world.analyze, KEEPING)
    assert (done.photographs, done.groups) == (0, 0)
    assert "grouped" not in {entry.action for entry in entries(album)}


def test_another_embedder_is_refused(world, album):
    def analyze(sources, columns):
        yield Analysis(picture(), faces_of(np.ones((1, 32), np.float32), space="t"))

    with pytest.raises(SpaceMismatch, match="of s, not of t"):
        add(album, world.photograph("A"), analyze, KEEPING)
    assert album.people() == ()


def test_the_gate_refuses_faces_not_photographs(world, album):
    def analyze(sources, columns):
        (source,) = sources
        found = faces_of(np.eye(2, 32, dtype=np.float32)).with_(quality=np.float32([0.9, 0.1]))
        yield Analysis(picture(str(source)), found)

    strict = Keeping(KEEPING.columns, gate="strict")
    done = add(album, world.photograph("A", "B"), analyze, strict)
    assert (done.photographs, done.faces, done.refused, done.failures) == (1, 1, 1, ())
    (face,) = kept(album)
    assert (face.row, face.provenance.quality) == (0, pytest.approx(0.9))


@pytest.mark.parametrize("crops", [True, False])
def test_crops_are_kept_if_wanted(world, album, crops):
    add(album, world.photograph("A"), world.analyze, Keeping(KEEPING.columns, crops=crops))
    (face,) = kept(album)
    assert face.has_crop == crops
    assert (album.crop(face.id) or b"").startswith(b"\xff\xd8") == crops


def test_how_far_it_is_is_told(world, album):
    for _ in range(5):
        world.photograph("A")
    add(album, sorted(world.folder.iterdir())[1], world.analyze, KEEPING)
    told = []
    add(album, world.folder, world.analyze, KEEPING, tell=lambda done, of: told.append((done, of)), portion=2)
    assert told == sorted(told)
    assert told[-1] == (5, 5)
    assert len(set(told)) == 4


class Stopped(Exception):
    pass


def test_a_run_that_was_stopped_goes_on_where_it_ended(world, album):
    photographs = [world.photograph("A", str(i)) for i in range(7)]

    def breaking(sources, columns):
        for done, result in enumerate(world.analyze(sources, columns)):
            if len(world.seen) == 6:
                raise Stopped(done)
            yield result

    with pytest.raises(Stopped):
        add(album, photographs, breaking, KEEPING, portion=2)
    assert {face.photograph for face in kept(album)} == {path.name for path in photographs[:4]}
    world.seen.clear()
    done = add(album, photographs, world.analyze, KEEPING, portion=2)
    assert (done.repeated, done.photographs) == (4, 3)
    assert world.seen == [path.name for path in photographs[4:]]
    assert_one_group_each(world, album)


def test_control_c_keeps_what_was_looked_at(world, album):
    photographs = [world.photograph("A", "B") for _ in range(5)]

    def interrupted(sources, columns):
        for result in world.analyze(sources, columns):
            if len(world.seen) == 4:
                raise KeyboardInterrupt
            yield result

    with pytest.raises(KeyboardInterrupt):
        add(album, photographs, interrupted, KEEPING)
    assert len(kept(album)) == 6
    add(album, photographs, world.analyze, KEEPING)
    assert len(kept(album)) == 10
    assert_one_group_each(world, album)


def test_control_c_within_a_photograph_does_not_keep_half_of_it(world, album, monkeypatch):
    photographs = [world.photograph("A", "B") for _ in range(3)]
    honest, made = albums.new_face, []

    def interrupted(*words):
        made.append(words)
        if len(made) == 4:
            raise KeyboardInterrupt
        return honest(*words)

    with monkeypatch.context() as patched:
        patched.setattr(albums, "new_face", interrupted)
        with pytest.raises(KeyboardInterrupt):
            add(album, photographs, world.analyze, KEEPING)
    assert {face.photograph for face in kept(album)} == {photographs[0].name}
    add(album, photographs, world.analyze, KEEPING)
    assert len(kept(album)) == 6


CHILD = """
import os, signal, sys
import numpy as np
from mien.core.analysis import Analysis
from mien.core.faces import Faces
from mien.core.image import Image
from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store.store import Store
from mien.gallery.vault.master import decode_key
from mien.people.albums import add
from mien.people.enrolling import Keeping

store, folder, last = sys.argv[1], sys.argv[2], int(sys.argv[3])

def analyze(sources, columns):
    for source in sources:
        number = int(source.stem)
        if number == last:
            os.kill(os.getpid(), signal.SIGKILL)
        vectors = np.eye(4, dtype=np.float32)[[number % 2, 2 + number % 2]]
        box = [[1, 1, 9, 9], [11, 1, 19, 9]]
        faces = Faces((20, 10), np.array(box), np.ones(2), embedding=vectors, space="s")
        yield Analysis(Image.from_rgb(np.zeros((10, 20, 3), np.uint8), str(source)), faces)

key = decode_key("A" * 43 + "=", "the test")
with Gallery(Store(store, key), DecisionRule("s", "cosine", 0.5, 0.001), "album") as album:
    print(add(album, folder, analyze, Keeping(("embedding",)), portion=3).faces)
"""


def test_a_killed_run_leaves_whole_photographs_and_goes_on(tmp_path):
    folder, store = tmp_path / "photographs", str(tmp_path / "people.db")
    folder.mkdir()
    for i in range(11):
        (folder / f"{i:02}.jpg").write_bytes(b"%d" % i)

    def child(last):
        words = [sys.executable, "-c", CHILD, store, str(folder), str(last)]
        return subprocess.run(words, capture_output=True, text=True, env={**os.environ}, check=False)

    for last, portions in ((1, 0), (8, 2), (8, 2)):
        assert child(last).returncode == -signal.SIGKILL
        with Gallery(Store(store, decode_key("A" * 43 + "=", "the test")), RULE, "album") as album:
            faces = kept(album)
            assert len(faces) == 6 * portions
            assert {face.photograph for face in faces} == {f"{i:02}.jpg" for i in range(3 * portions)}
    done = child(99)
    assert done.stdout.split() == ["10"], done.stderr
    with Gallery(Store(store, decode_key("A" * 43 + "=", "the test")), RULE, "album") as album:
        assert sorted(person.faces for person in album.people()) == [5, 5, 6, 6]


def test_who_changes_the_album_meanwhile_is_not_overwritten(world, album, monkeypatch):
    """Another process adds a photograph of the same person, and one of the same photographs, in between."""
    first, second = world.photograph("A"), world.photograph("A")
    rival = Gallery(album.store, RULE, "album")
    times, honest = [], album_grouping.group

    def slow(*words, **options):
        times.append(len(words[0]))
        if len(times) == 1:
            add(rival, [first], world.analyze, KEEPING)
        return honest(*words, **options)

    monkeypatch.setattr(album_grouping, "group", slow)
    done = add(album, [first, second], world.analyze, KEEPING)
    assert times == [2, 1, 2], "planned, overtaken by the rival's one face, planned again"
    assert sorted(face.photograph for face in kept(album)) == [first.name, second.name]
    assert (done.faces, done.groups, done.new_groups) == (1, 1, 0)


def test_others_of_the_store_do_not_disturb(world, album, monkeypatch):
    people, honest, times = Gallery(album.store, RULE, "people"), album_grouping.group, []

    def slow(*words, **options):
        times.append(1)
        people.enroll(f"somebody {len(times)}", np.eye(1, 32, dtype=np.float32), "s")
        return honest(*words, **options)

    monkeypatch.setattr(album_grouping, "group", slow)
    add(album, world.photograph("A"), world.analyze, KEEPING)
    assert times == [1]


def test_an_album_that_was_upgraded_meanwhile_gets_no_old_templates(world, album, monkeypatch):
    honest = album_grouping.group

    def slow(*words, **options):
        with album.store.writing() as writing:
            writing.connection.execute(COLLECTION.update().values(space="t"))
        return honest(*words, **options)

    monkeypatch.setattr(album_grouping, "group", slow)
    with pytest.raises(SpaceMismatch, match="holds embeddings of t now"):
        add(album, world.photograph("A"), world.analyze, KEEPING)
    assert kept(album) == []


def test_the_audit_log_tells_what_was_done_and_names_nobody(world, album):
    world.photograph("A"), world.photograph("A", "B")
    add(album, world.folder, world.analyze, KEEPING)
    (entry,) = (one for one in entries(album) if one.action == "grouped")
    assert entry.detail == {
        "faces": 3,
        "people": sorted(person.id for person in album.people()),
        "merged": {},
    }
    move(album, [kept(album)[0].id])
    name(album, album.people()[0].id, "Ada Lovelace")
    said = repr(entries(album))
    assert "moved" in said
    assert "Ada" not in said
    assert ".jpg" not in said
    with album.store.reading() as snapshot:
        audit.verify(snapshot.connection, snapshot.ring.audit_key)


def test_an_album_of_nobody_is_searched_like_any_collection(world, album):
    world.photograph("A"), world.photograph("B")
    add(album, world.folder, world.analyze, KEEPING)
    (wanted,) = truth(world, album)["B"]
    assert album.identify(np.float32([world.face("B")]), "s").person_id.tolist() == [[wanted]]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 200])
def test_typical_distances_are_root_mean_squares(rng, metric, count):
    vectors = (5 + rng.normal(size=(count, 16))).astype(np.float32)
    exact = vectors.astype(float)
    if metric == "cosine":
        exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    squares = ((exact[:, None] - exact[None]) ** 2).sum(-1)
    expected = [np.delete(squares[i], i).mean() if count > 1 else 0 for i in range(count)]
    expected = np.array(expected) / 2 if metric == "cosine" else np.sqrt(expected)
    found = typical_distances(vectors, DecisionRule("s", metric, 0.5, None))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_groups_show_their_odd_faces_last(world):
    with memory_gallery(DecisionRule("s", "cosine", 0.5, 1e-6), "album") as album:
        angles = (0, 3, -3, 45)
        add(album, [world.photograph(of=[line(d)]) for d in angles], world.analyze, KEEPING)
        (one,) = groups(album)
        assert [Path(member.face.provenance.source).stem for member in one.members][-1] == "0003"
        distances = [member.distance for member in one.members]
        assert distances == sorted(distances)
        expected = np.mean([1 - np.cos(np.radians(45 - d)) for d in angles[:3]])
        assert distances[-1] == pytest.approx(expected, abs=1e-6)
        assert [member.sure for member in one.members] == [True] * 4
        album._rule = DecisionRule("s", "cosine", float(expected) - 1e-3, None)
        assert [member.sure for member in groups(album)[0].members] == [True] * 3 + [False]
        move(album, [one.members[-1].face.id], one.person.id)
        assert [member.sure for member in groups(album)[0].members] == [True] * 4, "somebody said so"
        assert "0003" not in repr(groups(album))


def test_groups_come_in_order_of_their_faces(world, album):
    for people in ("A", "B", "BC", "BC"):
        world.photograph(*people)
    add(album, world.folder, world.analyze, KEEPING)
    found = groups(album)
    assert [len(one.members) for one in found] == [3, 2, 1]
    assert [one.person.faces for one in found] == [3, 2, 1]
    assert {one.person.id for one in found} == {person.id for person in album.people()}


def test_many_portions_in_any_order_never_lose_or_double_a_face(world, album):
    rng = world.rng
    for _ in range(40):
        world.photograph(*rng.permutation(list("ABCDEFGH"))[: rng.integers(0, 4)], noise=0.4)
    paths = list(rng.permutation(sorted(world.folder.iterdir())))
    alive = set()
    while paths:
        some, paths = paths[:7], paths[5:]
        done = add(album, some, world.analyze, KEEPING, portion=int(rng.integers(1, 5)))
        now = {person.id for person in album.people()}
        assert (done.new_groups, done.merged_groups) == (len(now - alive), len(alive - now))
        alive = now
    expected = sorted(
        (photograph, row) for photograph, (people, _) in world.found.items() for row in range(len(people))
    )
    assert sorted((face.photograph, face.row) for face in kept(album)) == expected
    owners = defaultdict(list)
    for face in kept(album):
        owners[face.photograph].append(face.group)
    assert all(len(set(one)) == len(one) for one in owners.values()), "two people of one photograph are two"
    with album.store.reading() as snapshot:
        ask = snapshot.connection.execute
        assert ask(sa.select(sa.func.count()).select_from(TEMPLATE)).scalar() == len(expected)
        assert ask(sa.select(sa.func.sum(FACE.c.by_hand))).scalar() == 0


@pytest.fixture(scope="module")
def mien(mien_home):
    with Mien(load_settings(environ={}, home=mien_home, store="memory", collection="album")) as made:
        yield made


# Photographs of one face each in obama_biden, by whose it is.
ONE_FACE = {
    "alex": ("alex-lacamoire.png", "alex_lacamoire1.jpg"),
    "biden": ("biden.jpg", "biden2.jpg"),
    "lin": ("lin-manuel-miranda.png",),
    "obama": ("obama-240p.jpg", "obama-1080p.jpg", "obama1.jpg", "obama2.jpg", "obama_small.jpg"),
    "rose": ("img1.jpg", "img2.jpg"),
}


def test_real_photographs(mien, shared, photos, tmp_path):
    folder = shared("data/faces_wild/obama_biden")
    album = mien.gallery()
    keeping = Keeping(mien.keeping().columns, crops=True)
    hostile = tmp_path / "hostile.jpg"
    hostile.write_bytes(b"\xff\xd8\xff\xe0" + b"no picture" * 50)
    known = sorted((photos / "known" / "Barack Obama").iterdir())
    done = add(album, [hostile, *known], mien.analyze, keeping)
    assert [one.error.code for one in done.failures] == ["unreadable_image"]
    assert (done.faces, done.groups) == (len(known), 1), "he is one person"
    (obama,) = album.people()
    name(album, obama.id, "Barack Obama")
    done = add(album, folder, mien.analyze, keeping, portion=8)
    assert done.failures == ()
    owner = {face.photograph: face.group for face in kept(album)}
    wanted = {person: {owner[file] for file in files} for person, files in ONE_FACE.items()}
    assert all(len(where) == 1 for where in wanted.values()), wanted
    assert len(set.union(*wanted.values())) == len(wanted)
    assert wanted["obama"] == {obama.id}
    assert album.person("Barack Obama").id == obama.id
    again = add(album, [folder, *known], mien.analyze, keeping)
    assert again.faces == 0
    assert again.repeated >= len(known) + 10
