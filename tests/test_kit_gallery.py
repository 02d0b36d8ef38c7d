"""People whom a `Mien` enrols are there for the next one."""

from datetime import date

import pytest

from mien import Mien, load_settings
from mien.errors import KeyMissing, KeyWrong, NoFace, PersonUnknown, RateUnsupported, SpaceMismatch


@pytest.fixture
def home(mien_home, tmp_path):
    (tmp_path / "packs").symlink_to(mien_home / "packs")
    return tmp_path


@pytest.fixture
def make(home):
    opened = []

    def made(**choices):
        opened.append(Mien(load_settings(environ={}, home=home, **choices)))
        return opened[-1]

    yield made
    for mien in opened:
        mien.close()


@pytest.fixture(scope="module")
def obama(photos):
    return sorted((photos / "known" / "Barack Obama").glob("*.jpg"))


@pytest.fixture(scope="module")
def again(photos):
    return photos / "unknown" / "portrait-2012.jpg"


def test_people_outlive_the_process_that_enrolled_them(make, obama, again):
    with make() as mien:
        done = mien.enroll("Obama", obama, tags=["president"], consent_until=date(2999, 1, 1))
        assert (done.faces, len(done.face_ids), done.repeated) == (2, 2, 0)
        assert mien.enroll("Obama", obama).repeated == 2
    mien = make()
    assert mien.identify(again).names == ["Obama"]
    assert mien.identify(again, tags=["astronaut"]).names == [None]
    person = mien.gallery().person("Obama")
    assert (person.id, person.faces, person.tags) == (done.person_id, 2, ("president",))
    assert [match.face_id for match in mien.search(again)[0]] == list(mien.search(again).face_id[0])
    assert {match.face_id for match in mien.search(again)[0]} == set(done.face_ids)
    assert mien.verify_person(again, "Obama").accepted
    assert mien.verify_person(again, done.person_id).person == "Obama"


def test_nobody_verifies_a_stranger(make, obama, photos):
    mien = make()
    mien.enroll("Obama", obama[0])
    assert not mien.verify_person(next((photos / "known" / "Grace Hopper").iterdir()), "Obama").accepted
    with pytest.raises(PersonUnknown, match="'Nobody'"):
        mien.verify_person(obama[0], "Nobody")
    with pytest.raises(NoFace):
        mien.search(photos / "unknown" / "rocket.jpg")


def test_two_at_once_see_each_other(make, obama, again):
    one, two = make(), make()
    assert two.identify(again).names == [None]
    one.enroll("Obama", obama)
    assert two.identify(again).names == ["Obama"]
    two.gallery().forget("Obama")
    assert one.identify(again).names == [None]


def test_a_better_embedder_that_is_installed_later_loses_nobody(home, make, obama, again, modern_home):
    make(embedder="dlib-resnet29").enroll("Obama", obama)
    (home / "packs").unlink()
    (home / "packs").symlink_to(modern_home / "packs")
    mien = make()
    assert mien.manifest_for("embedding").name != "dlib-resnet29"
    assert mien.identify(again).names == ["Obama"]
    assert mien.gallery().collection.embedder == "dlib-resnet29"
    with pytest.raises(SpaceMismatch, match="dlib-resnet29") as caught:
        make(embedder="mobilefacenet").gallery()
    assert "upgrade" in caught.value.hint

    better = make(embedder="mobilefacenet")
    done = better.upgrade()
    assert (done.faces, done.lost, done.done) == (2, (), True)
    assert better.identify(again).names == ["Obama"]
    assert make().identify(again).names == ["Obama"], "without being told"


def test_crops_are_kept_if_settings_say_so(make, obama):
    mien = make(keep_crops=True)
    (face,) = mien.enroll("Obama", obama[0]).face_ids
    assert mien.gallery().crop(face)[:2] == b"\xff\xd8"


def test_collections_are_apart(make, obama, again):
    make(collection="presidents").enroll("Obama", obama)
    assert make().identify(again).names == [None]
    assert make(collection="presidents").identify(again).names == ["Obama"]
    assert make().gallery("presidents").identify is not None


def test_a_gallery_in_memory_leaves_nothing(make, home, obama, again):
    mien = make(store="memory")
    mien.enroll("Obama", obama)
    assert mien.identify(again).names == ["Obama"]
    assert sorted(path.name for path in home.iterdir()) == ["packs"]


def test_the_key_may_be_in_a_variable(make, home, obama, monkeypatch):
    monkeypatch.setenv("MY_KEY", "q" * 43 + "=")
    make(gallery_key="env:MY_KEY").enroll("Obama", obama[0])
    assert not (home / "keys").exists()
    monkeypatch.setenv("MY_KEY", "A" * 43 + "=")
    with pytest.raises(KeyWrong):
        make(gallery_key="env:MY_KEY").gallery()
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(KeyMissing, match="MY_KEY"):
        make(gallery_key="env:MY_KEY").gallery()


def test_a_store_whose_key_is_gone_is_not_given_a_new_one(make, home, obama):
    with make() as mien:
        mien.enroll("Obama", obama[0])
    (home / "keys" / "gallery.key").unlink()
    with pytest.raises(KeyMissing, match=r"gallery\.key"):
        make().gallery()
    assert not (home / "keys" / "gallery.key").exists()


def test_who_is_uncertain_has_to_be_measured(make):
    with pytest.raises(RateUnsupported, match="uncertain"):
        make(review_fmr=0.01).gallery()
