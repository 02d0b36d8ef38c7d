"""Keys are exchanged, and everybody is still there."""

import pytest

from gallery.known import KEY, OTHER_KEY, face, names, newcomer, refused, rows_of, spread, vectors
from mien.errors import (
    KeyWrong,
    StoreFull,
)
from mien.gallery.backups import back_up
from mien.gallery.checking import check
from mien.gallery.choices import IndexChoices
from mien.gallery.rotating import rotate
from mien.gallery.store.store import Store


@pytest.fixture
def people(place, rng):
    gallery = place.gallery()
    gallery.enroll_many(
        [newcomer(f"p{i}", face(row, f"d{i}", crop=b"c" * i)) for i, row in enumerate(spread(rng, 30))], "s"
    )
    gallery.enroll_many([newcomer("Ada", [1, *[0] * 31], tags=("t",), metadata={"a": 1}, note="n")], "s")
    return gallery


def test_keys_are_exchanged_without_enrolling_anybody_again(people, tmp_path, place):
    probe, ada = vectors([1, *[0] * 31]), people.person("Ada")
    back_up(people.store, tmp_path / "one.db")
    back_up(people.store, tmp_path / "away.db")
    (tmp_path / "away.db").write_bytes(b"damaged" * 1000)
    done = rotate(people.store, OTHER_KEY)
    assert (done.people, done.backups, done.unreached) == (
        31,
        (str(tmp_path / "one.db"),),
        (str(tmp_path / "away.db"),),
    )
    assert people.person("Ada") == ada
    assert names(people, probe) == [["Ada"]]
    people.enroll("Ada", probe, "s")
    assert people.enroll_many([newcomer("p3", face([0] * 32, "d3"))], "s")[0].repeated == 1
    assert check(people.store).problems == ()
    if place.kind != "memory":
        assert type(refused(place.store)) is KeyWrong
        again = place.gallery(store=place.store(OTHER_KEY))
        assert names(again, probe) == [["Ada"]]
    assert type(refused(Store, str(tmp_path / "one.db"), KEY, read_only=True)) is KeyWrong
    with Store(str(tmp_path / "one.db"), OTHER_KEY, read_only=True) as copy:
        assert check(copy).problems == ()
    assert [path.name for path in tmp_path.iterdir() if "one.db" in path.name] == ["one.db"]


def test_an_exchange_that_fails_leaves_the_old_key(people, monkeypatch, place):
    before = rows_of(people.store)

    def failing(*arguments):
        raise StoreFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr("mien.gallery.rotating._wrap_people", failing)
        assert type(refused(rotate, people.store, OTHER_KEY)) is StoreFull
    assert rows_of(people.store) == before
    assert people.person("Ada").faces == 1
    if place.kind != "memory":
        assert len(place.gallery().people()) == 31


def test_many_people_get_their_new_keys_in_portions(people, monkeypatch):
    monkeypatch.setattr("mien.gallery.rotating._PORTION", 7)
    assert rotate(people.store, OTHER_KEY).people == 31
    assert check(people.store).problems == ()
    assert people.person("p17").faces == 1


def test_saved_indexes_of_the_old_key_are_built_anew(lasting, rng, tmp_path):
    choices = IndexChoices(folder=tmp_path / "indexes", save_from=1)
    gallery = lasting.gallery(choices=choices)
    rows = spread(rng, 20)
    gallery.enroll_many([newcomer(f"p{i}", row) for i, row in enumerate(rows)], "s")
    assert names(gallery, rows[:1]) == [["p0"]]
    gallery.nearby.save()
    (file,) = (tmp_path / "indexes").iterdir()
    old = file.read_bytes()
    rotate(gallery.store, OTHER_KEY)
    again = lasting.gallery(store=lasting.store(OTHER_KEY), choices=choices)
    assert names(again, rows) == [[f"p{i}"] for i in range(20)]
    assert file.read_bytes() != old
