"""What a gallery does with people, the same on every back end."""

import unicodedata
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from gallery.known import (
    face,
    ids_of,
    names,
    newcomer,
    refused,
    unnamed,
    vectors,
)
from mien.errors import (
    BadRequest,
    ConsentExpired,
    FaceUnknown,
    PersonExists,
    PersonUnknown,
    VersionStale,
)
from mien.gallery.checking import check
from mien.gallery.nearby import IndexChoices

TODAY = datetime.now(UTC).date()
YESTERDAY, TOMORROW = TODAY - timedelta(1), TODAY + timedelta(1)


def test_who_was_enrolled_is_found_with_all_that_was_said(people):
    assert [person.about.name for person in people.people()] == ["Ada", "Bo", None]
    bo = people.person("Bo")
    assert (bo.tags, bo.about.metadata, bo.about.consent_note, bo.faces) == (
        ("red",),
        {"room": 7},
        "signed",
        1,
    )
    assert people.person(bo.id) == bo
    assert names(people, vectors([0, 2], [4, 0], [0, 8])) == [["Ada"], ["Bo"], [unnamed(people).id]]
    assert [person.name for person in people.people(["red"])] == ["Ada", "Bo"]
    assert [person.name for person in people.people(["red", "blue"])] == ["Ada"]
    assert people.people(["green"]) == ()


def test_search_gives_faces_and_compare_one_person(people):
    matches = people.search(vectors([0, 0.4]), "s", 4)
    assert matches.person.tolist() == [["Ada", "Ada", "Bo", unnamed(people).id]]
    assert [match.face_id for match in matches[0][:2]] == ids_of(people, "Ada")
    np.testing.assert_allclose(matches.distance[0, :2], [0.4, 0.6], atol=1e-6)
    one = people.compare("Ada", vectors([0, 1.5], [0, 30]), "s")
    assert one.person.tolist() == [["Ada"], ["Ada"]]
    np.testing.assert_allclose(one.distance[:, 0], [0.5, 29], atol=1e-5)
    assert [one.best(i) is None for i in (0, 1)] == [False, True]


def test_only_people_with_the_tags_are_found(people):
    everybody, probe = unnamed(people).id, vectors([0, 0])
    assert names(people, probe, 9) == [["Ada", "Bo", everybody]]
    assert names(people, probe, 9, tags=["red"]) == [["Ada", "Bo"]]
    assert names(people, probe, 9, tags=["blue", "red"]) == [["Ada"]]
    assert names(people, probe, 9, tags=["nobody has it"]) == [[]]
    people.edit("Bo", tags=["blue"])
    assert names(people, probe, 9, tags=["blue"]) == [["Ada", "Bo"]]


def test_enrolling_again_adds_faces_and_replaces_only_what_is_said(people):
    before = people.person("Bo")
    done = people.enroll_many([newcomer("Bo", [5, 5], tags=("new",))], "s")[0]
    after = people.person("Bo")
    assert (done.person_id, after.faces) == (before.id, 2)
    assert after.version > before.version
    assert (after.tags, after.about.metadata, after.about.consent_note) == (("new",), {"room": 7}, "signed")
    assert names(people, vectors([5, 6])) == [["Bo"]]


def test_a_place_in_a_photograph_is_kept_once_for_each_person(people):
    again = people.enroll_many(
        [newcomer("Ada", face([0, 0], "a1"), face([1, 1], "a1", box=(9, 9, 20, 20)))], "s"
    )
    assert (again[0].repeated, len(again[0].faces)) == (1, 1)
    twice = people.enroll_many(
        [newcomer("Di", face([7, 7], "d"), face([7, 7], "d"), face([7, 8], "d2"))], "s"
    )
    assert (twice[0].repeated, len(twice[0].faces), people.person("Di").faces) == (1, 2, 2)
    other = people.enroll_many([newcomer("Bo", face([0, 0], "a1"))], "s")
    assert (other[0].repeated, len(other[0].faces)) == (0, 1), "somebody else may be in the same photograph"


def test_faces_without_a_photograph_are_never_repetitions(people):
    assert people.enroll("Ada", vectors([0, 0], [0, 0]), "s").repeated == 0
    assert people.person("Ada").faces == 4


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_one_name_in_every_unicode_form(place, form):
    gallery = place.gallery()
    name = "Zoë Ångström"
    gallery.enroll(unicodedata.normalize(form, name), vectors([1, 0]), "s")
    for other in ("NFC", "NFD"):
        gallery.enroll(f"  {unicodedata.normalize(other, name)} ", vectors([2, 0]), "s")
        assert gallery.person(unicodedata.normalize(other, name)).faces >= 2
    assert len(gallery.people()) == 1
    both = [newcomer(unicodedata.normalize(f, "É"), [1, 1]) for f in ("NFC", "NFD")]
    assert isinstance(refused(gallery.enroll_many, both, "s"), BadRequest)
    gallery.enroll("Zoe", vectors([9, 9]), "s")
    assert isinstance(refused(gallery.edit, "Zoe", name=unicodedata.normalize("NFD", name)), PersonExists), (
        "no second person of that name"
    )
    assert names(gallery, vectors([9, 9])) == [["Zoe"]]


def test_upper_and_lower_case_are_different_names(place):
    gallery = place.gallery()
    gallery.enroll("ada", vectors([1, 0]), "s")
    gallery.enroll("Ada", vectors([0, 1]), "s")
    assert len(gallery.people()) == 2


def test_edit_changes_what_is_given_and_nothing_else(people):
    ada = people.person("Ada")
    edited = people.edit("Ada", name="Ada L.", metadata={"née": ["Byron"]}, consent_until=TOMORROW)
    assert (edited.id, edited.name, edited.tags, edited.faces) == (ada.id, "Ada L.", ada.tags, 2)
    assert (edited.about.metadata, edited.consent_until) == ({"née": ["Byron"]}, TOMORROW)
    assert isinstance(refused(people.person, "Ada"), PersonUnknown)
    assert names(people, vectors([0, 0])) == [["Ada L."]]
    assert people.edit("Ada L.", consent_until=None).consent_until is None
    assert people.edit("Ada L.", name=None).name == ada.id
    assert people.person(ada.id).about.name is None


def test_who_edits_an_older_version_is_told(people):
    seen = people.person("Bo")
    assert people.edit("Bo", tags=["x"], version=seen.version).version > seen.version
    error = refused(people.edit, "Bo", tags=["y"], version=seen.version)
    assert isinstance(error, VersionStale)
    assert error.hint
    assert people.person("Bo").tags == ("x",)


def test_merged_people_are_one(people):
    ada, bo, nobody = people.people()
    faces = {who: ids_of(people, who) for who in ("Ada", "Bo", nobody.id)}
    merged = people.merge("Ada", ["Bo", nobody.id, bo.id])
    assert (merged.id, merged.name, merged.faces, merged.tags) == (ada.id, "Ada", 4, ("blue", "red"))
    assert sorted(ids_of(people, "Ada")) == sorted(one for owned in faces.values() for one in owned)
    assert people.crop(faces["Ada"][0]) == b"picture"
    assert people.people() == (merged,)
    assert names(people, vectors([5, 0], [0, 9]), 3) == [["Ada"], ["Ada"]]
    assert isinstance(refused(people.person, "Bo"), PersonUnknown)
    people.enroll("Bo", vectors([3, 3]), "s")
    assert names(people, vectors([3, 3], [5, 0])) == [["Bo"], ["Ada"]], "the name is free again"


def test_a_face_goes_to_somebody_else_with_its_picture(people):
    first, second = ids_of(people, "Ada")
    moved = people.move([first], "Bo")
    assert (moved.name, moved.faces, people.person("Ada").faces) == ("Bo", 2, 1)
    assert people.crop(first) == b"picture"
    assert names(people, vectors([0, 0.1], [0, 0.9])) == [["Bo"], ["Ada"]]
    assert people.move([second], "Cy").name == "Cy"
    assert people.person("Ada").faces == 0
    assert names(people, vectors([0, 0.9]), 9) == [["Cy", "Bo", unnamed(people).id]]
    somebody = people.move([second])
    assert (somebody.about.name, somebody.faces) == (None, 1)
    assert isinstance(refused(people.compare, "Ada", vectors([0, 0]), "s"), BadRequest)


def test_somebody_unnamed_without_a_face_is_gone(people):
    nobody = unnamed(people)
    people.move(ids_of(people, nobody.id), "Ada")
    assert [person.name for person in people.people()] == ["Ada", "Bo"]
    assert names(people, vectors([0, 9])) == [["Ada"]]


def test_dropped_faces_are_not_found_and_the_person_stays(people):
    first, second = ids_of(people, "Ada")
    people.drop_faces([first, first])
    assert ids_of(people, "Ada") == [second]
    assert isinstance(refused(people.crop, first), FaceUnknown)
    matches = people.search(vectors([0, 0]), "s", 9)
    assert first not in matches.face_id[0].tolist()
    people.drop_faces([second])
    assert (people.person("Ada").faces, len(people.people())) == (0, 3)
    assert "Ada" not in names(people, vectors([0, 0]), 9)[0]


def test_people_of_an_album_are_taken_over(place):
    store = place.store()
    album, gallery = place.gallery(collection="holiday", store=store), place.gallery(store=store)
    album.enroll_many([newcomer(None, face([1, 0], "p", crop=b"c"), [1, 1]), newcomer(None, [5, 5])], "s")
    gallery.enroll("Ada", vectors([9, 9]), "s")
    one, other = album.people()
    taken = gallery.adopt(album, one.id, "Ada")
    assert (taken.name, taken.faces, [person.id for person in album.people()]) == ("Ada", 3, [other.id])
    assert names(gallery, vectors([1, 0])) == [["Ada"]]
    assert names(album, vectors([1, 0])) == [[other.id]]
    assert [gallery.crop(one) for one in ids_of(gallery, "Ada") if gallery.crop(one)] == [b"c"]
    new = gallery.adopt(album, other.id, "Bo")
    assert (new.name, new.faces, album.people()) == ("Bo", 1, ())
    assert names(gallery, vectors([5, 5])) == [["Bo"]]
    assert gallery.enroll_many([newcomer("Ada", face([1, 0], "p"))], "s")[0].repeated == 1
    assert isinstance(refused(gallery.adopt, gallery, "Ada", "Cy"), BadRequest)
    assert isinstance(refused(gallery.adopt, album, one.id, "Cy"), PersonUnknown)
    assert check(store).problems == ()


def test_collections_do_not_see_each_other(place):
    store = place.store()
    one, other = place.gallery(collection="one", store=store), place.gallery(collection="other", store=store)
    one.enroll("Ada", vectors([0, 0]), "s")
    other.enroll("Ada", vectors([5, 5]), "s")
    assert one.person("Ada").id != other.person("Ada").id
    assert one.identify(vectors([5, 5]), "s").distance[0, 0] == pytest.approx(np.sqrt(50))
    face_id = ids_of(other, "Ada")[0]
    assert isinstance(refused(one.move, [face_id], "Ada"), FaceUnknown)
    assert isinstance(refused(one.person, other.person("Ada").id), PersonUnknown)
    one.forget("Ada")
    assert names(other, vectors([5, 5])) == [["Ada"]]


def test_forgotten_people_are_gone_and_their_names_free(people):
    ada = people.person("Ada")
    face_id = ids_of(people, "Ada")[0]
    done = people.forget(["Ada", ada.id])
    assert (done.people, done.faces, done.backups, done.unreached) == ((ada.id,), 2, (), ())
    for who in ("Ada", ada.id):
        assert isinstance(refused(people.person, who), PersonUnknown)
    assert isinstance(refused(people.crop, face_id), FaceUnknown)
    assert "Ada" not in names(people, vectors([0, 0]), 9)[0]
    people.enroll("Ada", vectors([0, 0]), "s")
    assert people.person("Ada").id != ada.id


@pytest.mark.parametrize(
    ("until", "found"), [(YESTERDAY, False), (TODAY, True), (TOMORROW, True), (None, True)]
)
def test_nobody_is_found_beyond_the_last_day_of_consent(place, until, found):
    gallery = place.gallery()
    gallery.enroll_many([newcomer("Ada", [0, 0], until=until), newcomer("Bo", [0, 1])], "s")
    nearest = "Ada" if found else "Bo"
    assert names(gallery, vectors([0, 0])) == [[nearest]]
    assert gallery.search(vectors([0, 0]), "s", 1).person.tolist() == [[nearest]]
    assert names(gallery, vectors([0, 0]), 9, tags=[]) == [["Ada", "Bo"] if found else ["Bo"]]
    if not found:
        assert isinstance(refused(gallery.compare, "Ada", vectors([0, 0]), "s"), ConsentExpired)
    gallery.edit("Ada", consent_until=TOMORROW)
    assert names(gallery, vectors([0, 0])) == [["Ada"]], "renewed"


def test_the_sweep_forgets_whose_consent_ran_out(place):
    gallery = place.gallery()
    days = [None, date(2030, 1, 1), date(2030, 1, 2), date(2031, 1, 1)]
    gallery.enroll_many([newcomer(f"p{i}", [i, 0], until=day) for i, day in enumerate(days)], "s")
    ids = {person.name: person.id for person in gallery.people()}
    assert gallery.sweep(date(2030, 1, 1)).people == ()
    assert gallery.sweep(date(2030, 1, 2)).people == (ids["p1"],)
    assert gallery.sweep(date(2040, 1, 1)).people == (ids["p2"], ids["p3"])
    assert [person.name for person in gallery.people()] == ["p0"]
    assert names(gallery, vectors([3, 0]), 9) == [["p0"]]


def test_an_index_is_saved_beside_any_store(place, tmp_path, rng):
    choices = IndexChoices(folder=tmp_path / "indexes", save_from=1)
    gallery = place.gallery(choices=choices)
    gallery.enroll("Ada", vectors([1, 0]), "s")
    assert names(gallery, vectors([1, 0])) == [["Ada"]]
    assert len(list((tmp_path / "indexes").iterdir())) == 1
    gallery.forget("Ada")
    assert list((tmp_path / "indexes").iterdir()) == []
    assert names(place.gallery(store=gallery.store, choices=choices), vectors([1, 0])) == [[]]
