"""What cannot be done is refused, and nothing of it is done; the same on every back end."""

from datetime import UTC, datetime

import numpy as np
import pytest

from gallery.known import RULE, face, ids_of, names, newcomer, refused, state, unnamed, vectors
from mien.errors import (
    BadRequest,
    FaceUnknown,
    PersonExists,
    PersonUnknown,
    SpaceMismatch,
    StoreLocked,
    VersionStale,
)
from mien.gallery.gallery import Gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.sql.schema import COLLECTION
from mien.gallery.store import audit
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import About


def test_an_edit_that_cannot_be_leaves_all_as_it_was(people):
    before = state(people)
    ada = people.person("Ada")
    for changes, kind in (
        ({"name": "Bo"}, PersonExists),
        ({"name": ""}, BadRequest),
        ({"names": "x"}, BadRequest),
        ({"tags": ["", "x"]}, BadRequest),
        ({"tags": "x"}, BadRequest),
        ({"metadata": {"x": float("nan")}}, BadRequest),
        ({"metadata": {"x": object()}}, BadRequest),
        ({"metadata": {"x": "y" * 70_000}}, BadRequest),
        ({"consent_until": "2030-01-01"}, BadRequest),
        ({"consent_until": datetime.now(UTC)}, BadRequest),
        ({"tags": ["x"], "version": ada.version + 1}, VersionStale),
        ({"name": "half \ud800"}, BadRequest),
        ({"consent_note": "nul \0"}, BadRequest),
    ):
        assert type(refused(people.edit, "Ada", **changes)) is kind, changes
    assert state(people) == before


@pytest.mark.parametrize(
    ("into", "others", "kind"),
    [("Ada", ["Ada"], BadRequest), ("Ada", [], BadRequest), ("Ada", ["Bo", "Cy"], PersonUnknown),
     ("Cy", ["Ada"], PersonUnknown)],
)  # fmt: skip
def test_a_merger_that_cannot_be_leaves_all_as_it_was(people, into, others, kind):
    before = state(people)
    assert isinstance(refused(people.merge, into, others), kind)
    assert state(people) == before


def test_faces_that_are_not_there_are_not_moved(people):
    before = state(people)
    known = ids_of(people, "Ada")[0]
    for asked in ([known, "0" * 13], ["nonsense"], ["\ud800"], ["\0"], [people.person("Bo").id]):
        assert isinstance(refused(people.move, asked, "Bo"), FaceUnknown), asked
        assert isinstance(refused(people.drop_faces, asked), FaceUnknown), asked
        assert isinstance(refused(people.crop, asked[-1]), FaceUnknown), asked
    assert isinstance(refused(people.move, []), BadRequest)
    assert state(people) == before


@pytest.mark.parametrize("who", ["Cy", "", "0" * 13, "\ud800", "x\0y", "%", "Ada\n x", "a" * 1000])
def test_who_is_not_enrolled_is_unknown(people, who):
    for ask in (people.person, people.faces, people.forget, lambda one: people.edit(one, tags=["x"])):
        assert isinstance(refused(ask, who), PersonUnknown)


def test_nobody_is_forgotten_if_one_of_them_is_unknown(people):
    before = state(people)
    assert isinstance(refused(people.forget, ["Ada", "Cy"]), PersonUnknown)
    assert state(people) == before


def test_a_batch_is_kept_whole_or_not_at_all(people):
    before = state(people)
    good = [newcomer(f"new {i}", [i, i]) for i in range(5)]
    for bad, kind in (
        (newcomer("bad", [1, 2, 3]), BadRequest),
        (newcomer("bad", [np.nan, 1]), BadRequest),
        (newcomer("Ada", [np.inf, 1]), BadRequest),
        (newcomer("bad", [1e9, 1]), BadRequest),
        (Newcomer(About("bad"), [face(np.zeros(0))]), BadRequest),
        (Newcomer(About("bad"), [face(np.zeros((1, 2)))]), BadRequest),
        (newcomer("new 3", [1, 2]), BadRequest),
        (newcomer("new 3 ", [1, 2]), BadRequest),
        (newcomer("bad", [1, 2], until="tomorrow"), BadRequest),
    ):
        for batch in ([*good, bad], [bad, *good], [*good[:2], bad, *good[2:]]):
            assert isinstance(refused(people.enroll_many, batch, "s"), kind)
    assert isinstance(refused(people.enroll_many, good, "t"), SpaceMismatch)
    assert state(people) == before
    assert names(people, vectors([3, 3]), 9) == [["Ada", "Bo", unnamed(people).id]]


def test_an_error_in_the_middle_of_writing_undoes_everything(people, monkeypatch):
    before, entries = state(people), len(audit_log(people))

    def broken(*arguments, **options):
        raise RuntimeError("the lights went out")

    ids = ids_of(people, "Ada")
    for name, act in (
        ("mien.gallery.store.adding._add_faces", lambda: people.enroll("New", vectors([1, 1]), "s")),
        ("mien.gallery.people.drop_person", lambda: people.merge("Ada", ["Bo"])),
        ("mien.gallery.store.audit.append", lambda: people.edit("Ada", tags=["x"])),
        ("mien.gallery.store.dropping.touch", lambda: people.drop_faces(ids)),
        ("mien.gallery.forgetting.remember_forgotten", lambda: people.forget("Ada")),
        ("mien.gallery.people.move_faces", lambda: people.move(ids, "New")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(name, broken)
            with pytest.raises(RuntimeError, match="lights"):
                act()
    assert state(people) == before
    assert len(audit_log(people)) > entries
    assert names(people, vectors([0, 0], [1, 1], [5, 0])) == [["Ada"], ["Ada"], ["Bo"]]


def audit_log(gallery):
    with gallery.store.reading() as snapshot:
        return list(audit.entries(snapshot.connection))


def test_other_embedders_are_refused(place):
    gallery = place.gallery()
    gallery.enroll("Ada", vectors([1, 0]), "s")
    for ask in (gallery.identify, gallery.search):
        assert isinstance(refused(ask, vectors([1, 0]), "t"), SpaceMismatch)
    assert isinstance(refused(gallery.compare, "Ada", vectors([1, 0]), "t"), SpaceMismatch)
    other = DecisionRule("t", "cosine", 0.3, None)
    error = refused(Gallery, gallery.store, other)
    assert isinstance(error, SpaceMismatch)
    assert "upgrade" in error.hint
    assert [one.name for one in Gallery(gallery.store, RULE).people()] == ["Ada"]


def test_a_collection_that_changed_over_takes_no_old_embeddings(lasting):
    gallery = lasting.gallery()
    gallery.enroll("Ada", vectors([1, 0]), "s")
    with gallery.store.writing() as writing:
        writing.connection.execute(COLLECTION.update().values(space="t"))
    assert isinstance(refused(gallery.enroll, "Bo", vectors([1, 0]), "s"), SpaceMismatch)


@pytest.mark.parametrize("name", ["", " ", "x" * 201])
def test_a_collection_needs_a_name(place, name):
    assert isinstance(refused(place.gallery, collection=name), BadRequest)


@pytest.mark.parametrize(
    "probe", [np.zeros(2), np.zeros((1, 3)), np.array([[np.nan, 0]]), np.array([[np.inf, 0]])]
)
def test_probes_that_cannot_be_compared_are_refused(people, probe):
    for ask in (people.identify, people.search):
        assert isinstance(refused(ask, probe.astype(np.float32), "s"), BadRequest)
    assert isinstance(refused(people.compare, "Ada", probe.astype(np.float32), "s"), BadRequest)


def test_what_is_on_the_disk_is_acknowledged_though_the_index_fails(place, monkeypatch):
    gallery = place.gallery()
    gallery.enroll("Ada", vectors([1, 0]), "s")
    assert names(gallery, vectors([1, 0])) == [["Ada"]]

    def broken(*arguments):
        raise StoreLocked("somebody else has it")

    with monkeypatch.context() as patch:
        patch.setattr("mien.gallery.nearby.Nearby.index", broken)
        gallery.enroll("Bo", vectors([0, 1]), "s")
        gallery.forget("Ada")
        assert isinstance(refused(gallery.identify, vectors([0, 1]), "s"), StoreLocked)
    assert names(gallery, vectors([0, 1], [1, 0])) == [["Bo"], ["Bo"]]
