import os
import shutil

import numpy as np
import pytest

from gallery.known import COSINE, KEY, RULE, names, newcomer, spread
from mien.gallery import nearby
from mien.gallery.choices import IndexChoices
from mien.gallery.gallery import Gallery
from mien.gallery.store.store import Store


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "indexes"


@pytest.fixture
def make(tmp_path, folder):
    opened = []

    def made(rule=COSINE, **choices):
        store = Store(str(tmp_path / "people.db"), KEY)
        options = {"folder": folder, "save_from": 5, **choices}
        opened.append(Gallery(store, rule, choices=IndexChoices(**options)))
        return opened[-1]

    yield made
    for gallery in opened:
        gallery.store.close()


@pytest.fixture
def builds(monkeypatch):
    """How often an index was built from the store."""
    counted = []
    honest = nearby.build

    def build(*words, **options):
        counted.append(1)
        return honest(*words, **options)

    monkeypatch.setattr(nearby, "build", build)
    return counted


@pytest.fixture
def vectors(rng):
    return spread(rng, 20)


def fill(gallery, vectors):
    gallery.enroll_many([newcomer(f"p{i}", vector) for i, vector in enumerate(vectors)], "s")


def test_a_saved_index_is_opened_and_follows_what_came_later(make, vectors, builds, folder):
    gallery = make()
    fill(gallery, vectors[:15])
    assert names(gallery, vectors[:1]) == [["p0"]]
    assert len(list(folder.iterdir())) == 1
    other = make(folder=None)
    other.enroll("late", vectors[15:16], "s")
    other.drop_faces([other.faces("p1")[0].id])
    builds.clear()
    again = make()
    assert names(again, vectors[15:16]) == [["late"]]
    assert names(again, vectors[1:2]) != [["p1"]]
    assert builds == [], "it was opened, not built"


def test_few_faces_are_not_worth_a_file(make, vectors, folder):
    gallery = make(save_from=100)
    fill(gallery, vectors)
    names(gallery, vectors[:1])
    gallery.nearby.save()
    assert not folder.exists()


def test_closing_saves_what_came_since(make, vectors, builds):
    gallery = make()
    fill(gallery, vectors[:10])
    names(gallery, vectors[:1])
    gallery.enroll("late", vectors[15:16], "s")
    gallery.close()
    builds.clear()
    assert names(make(), vectors[15:16]) == [["late"]]
    assert builds == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(file.read_bytes()[:-40] + bytes(40)),
        lambda file: file.write_bytes(os.urandom(1000)),
        lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:]),
    ],
    ids=["empty", "cut", "changed", "noise", "another kind"],
)
def test_a_spoilt_index_is_built_again(make, vectors, builds, folder, spoil):
    gallery = make()
    fill(gallery, vectors)
    names(gallery, vectors[:1])
    (file,) = folder.iterdir()
    spoil(file)
    builds.clear()
    assert names(make(), vectors[3:4]) == [["p3"]]
    assert len(builds) == 1


def test_an_index_from_before_somebody_was_forgotten_does_not_open(make, vectors, builds, folder, tmp_path):
    gallery = make()
    fill(gallery, vectors)
    names(gallery, vectors[:1])
    (file,) = folder.iterdir()
    shutil.copy(file, tmp_path / "kept")
    gallery.forget("p3")
    assert not file.exists()
    shutil.copy(tmp_path / "kept", file)
    builds.clear()
    assert names(make(), vectors[3:4]) != [["p3"]]
    assert len(builds) == 1


def test_an_index_of_another_rule_or_policy_is_not_taken(make, vectors, builds):
    gallery = make()
    fill(gallery, vectors)
    names(gallery, vectors[:1])
    builds.clear()
    assert names(make(RULE), vectors[:1]) == [["p0"]]
    assert names(make(policy="centroid"), vectors[:1]) == [["p0"]]
    assert len(builds) == 2


def test_nothing_of_a_face_is_readable_in_the_file(make, vectors, folder):
    gallery = make()
    fill(gallery, vectors)
    names(gallery, vectors[:1])
    content = next(folder.iterdir()).read_bytes()
    person = gallery.people()[0].id.encode()
    for kind in (np.float32, np.float16):
        assert vectors.astype(kind).tobytes()[:16] not in content
    assert person not in content


def test_a_folder_that_cannot_be_written_stops_nothing(make, vectors, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    gallery = make(folder=tmp_path / "file" / "indexes")
    fill(gallery, vectors)
    assert names(gallery, vectors[2:3]) == [["p2"]]
    assert gallery.nearby.save() is False


def test_means_are_of_vectors_of_length_one_where_angles_count():
    found = nearby.Templates(
        np.array([b"f1", b"f2", b"f3"], "S13"),
        np.array([b"b", b"a", b"b"], "S13"),
        np.array([[2, 0], [0, 1], [0, 1]], np.float32),
    )
    means = nearby.centroids(found, "cosine")
    assert means.person.tolist() == [b"a", b"b"]
    np.testing.assert_allclose(means.vectors, [[0, 1], [0.5, 0.5]])
    np.testing.assert_allclose(nearby.centroids(found, "euclidean").vectors, [[0, 1], [1, 0.5]])
