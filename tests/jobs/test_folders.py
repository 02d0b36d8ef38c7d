import os

import pytest

from gallery.known import KEY
from jobs.working import Eyes, Kit, ended, make_collection, now, ordered, picture, rows, wait_for, working
from mien.access.grants import Caller
from mien.errors import BadRequest, Forbidden, ImageTooLarge, UnreadableImage
from mien.gallery.store import attachments
from mien.gallery.store.store import Store
from mien.jobs import desk
from mien.jobs.folders import listed, read_below
from mien.jobs.photographs import Sent


@pytest.fixture
def allowed(tmp_path):
    folder = tmp_path / "allowed"
    for name, person in (("Ada/1.png", 1), ("Ada/old/2.PNG", 1), ("Bo.jpg", 2), ("Ada/notes.txt", 3)):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(person, salt=len(name)))
    return folder


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.png").write_bytes(picture(9))
    return folder


@pytest.fixture
def kit(tmp_path, allowed):
    with Store(str(tmp_path / "kept" / "people.db"), KEY) as store:
        make_collection(store, "people")
        yield Kit(store, folders=[allowed])


def names(folder, allowed, most=100):
    return [one.name for one in listed(folder, [allowed], most)]


def test_photographs_of_a_folder(allowed):
    assert names(allowed, allowed) == ["Bo.jpg", "Ada/1.png", "Ada/old/2.PNG"]
    assert [one.person for one in listed(allowed, [allowed], 9)] == ["Bo", "Ada", "Ada"]
    assert names(allowed / "Ada", allowed) == ["1.png", "old/2.PNG"]
    assert [one.person for one in listed(allowed / "Ada", [allowed], 9)] == ["1", "old"]


def test_folders_that_may_not_be_read(allowed, outside, tmp_path):
    (tmp_path / "allowed-too").mkdir()
    (allowed / "out").symlink_to(outside)
    (allowed / "up").symlink_to("..")
    (allowed / "loop").symlink_to("loop")
    refused = [
        outside,
        tmp_path,
        tmp_path / "allowed-too",
        allowed / "..",
        allowed / "Ada" / ".." / "..",
        allowed / "out",
        allowed / "up" / "outside",
        allowed / "up",
        allowed / "loop",
        allowed / "Bo.jpg",
        allowed / "nowhere",
        tmp_path.relative_to("/") / "allowed",
        type(allowed)("/"),
        type(allowed)("a\0b"),
    ]
    said = set()
    for folder in refused:
        with pytest.raises(BadRequest) as error:
            listed(folder, [allowed], 100)
        said.add(error.value.message)
    assert len(said) == 1, "it is not told whether there is something"
    with pytest.raises(BadRequest):
        listed(allowed, [], 100)
    with pytest.raises(BadRequest):
        listed(allowed, [tmp_path / "missing"], 100)


def test_links_are_followed_only_within(allowed, outside, tmp_path):
    inside = ["Bo.jpg", "Ada/1.png", "Ada/old/2.PNG"]
    (allowed / "secret.png").symlink_to(outside / "secret.png")
    (allowed / "out").symlink_to(outside)
    (allowed / "root").symlink_to("/")
    (allowed / "round").symlink_to(allowed)
    (allowed / "gone.png").symlink_to(tmp_path / "nothing.png")
    os.mkfifo(allowed / "pipe.png")
    (allowed / ".hidden.png").write_bytes(picture(1))
    assert names(allowed, allowed) == inside
    (allowed / "Again.png").symlink_to("Ada/1.png")
    assert names(allowed, allowed) == ["Again.png", *inside]
    link = tmp_path / "link"
    link.symlink_to(allowed)
    assert names(link, allowed) == ["Again.png", *inside], "a link to what is allowed"
    assert names(allowed, link) == ["Again.png", *inside], "what is allowed may be a link"


def test_too_many_or_none(allowed, tmp_path):
    (allowed / "empty").mkdir()
    with pytest.raises(BadRequest, match="no photographs"):
        listed(allowed / "empty", [allowed], 100)
    assert len(listed(allowed, [allowed], 3)) == 3
    with pytest.raises(BadRequest, match="more than 2"):
        listed(allowed, [allowed], 2)


def test_where_it_leads_is_asked_again_when_it_is_read(allowed, outside):
    path = (allowed / "Ada" / "1.png").resolve()
    assert read_below(path, [allowed], 10**6) == path.read_bytes()
    with pytest.raises(ImageTooLarge):
        read_below(path, [allowed], 10)
    with pytest.raises(UnreadableImage):
        read_below((outside / "secret.png").resolve(), [allowed], 10**6)
    with pytest.raises(UnreadableImage):
        read_below(allowed / "Ada" / ".." / ".." / "outside" / "secret.png", [allowed], 10**6)
    path.unlink()
    path.symlink_to(outside / "secret.png")
    with pytest.raises(UnreadableImage):
        read_below(path, [allowed], 10**6)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UnreadableImage):
        read_below(path, [allowed], 10**6)


def test_a_folder_is_worked_on(kit, allowed):
    job = ordered(kit, "enroll", collection="people", folder=allowed)
    kept = now(kit, job)
    assert (kept.job.total, kept.job.listed, kept.job.size_bytes) == (3, True, 0)
    with working(kit):
        assert ended(kit, job).state == "done"
    assert [(row.person, row.source) for row in rows(kit, job)] == [
        ("Bo", "Bo.jpg"),
        ("Ada", "1.png"),
        ("Ada", "2.PNG"),
    ]
    (bo,) = kit.gallery("people").faces("Bo")
    assert bo.provenance.source == str((allowed / "Bo.jpg").resolve()), "so that it can be upgraded"
    with kit.store().reading() as snapshot:
        assert attachments.read(snapshot, job, "listing") is None


def test_photographs_that_change_meanwhile(kit, allowed, outside):
    eyes = Eyes()
    job = ordered(kit, "analyze", folder=allowed, start=False)
    (allowed / "Bo.jpg").unlink()
    (allowed / "Ada" / "1.png").unlink()
    (allowed / "Ada" / "1.png").symlink_to(outside / "secret.png")
    desk.start(kit.store(), Caller("local", "", ("admin",)), job)
    with working(kit, eyes):
        assert ended(kit, job).job.failed == 2
    assert [(row.source, row.error and row.error.code) for row in rows(kit, job)] == [
        ("Bo.jpg", "unreadable_image"),
        ("Ada/1.png", "unreadable_image"),
        ("Ada/old/2.PNG", None),
    ]
    assert len(eyes.seen) == 1


def test_an_interrupted_folder_goes_on(kit, allowed):
    for i in range(20):
        (allowed / f"{i:02}.png").write_bytes(picture(1, salt=i))
    eyes = Eyes(0.05)
    job = ordered(kit, "analyze", folder=allowed)
    with working(kit, eyes):
        wait_for(lambda: now(kit, job).job.done)
    assert now(kit, job).job.done < 23
    with working(kit):
        ended(kit, job)
    found = [row.source for row in rows(kit, job)]
    assert len(found) == len(set(found)) == 23


def test_only_admins_name_folders(kit, allowed):
    wanted = desk.Wanted("analyze", folder=allowed)
    with pytest.raises(Forbidden):
        desk.order(kit, Caller("key:a", "", ("detect", "search", "enroll")), wanted, [], start=True)
    with pytest.raises(Forbidden):
        desk.order(kit, Caller("key:a", "", ("admin",), ("people",)), wanted, [], start=True)
    admin = Caller("key:a", "", ("admin",))
    with pytest.raises(BadRequest, match="not both"):
        desk.order(kit, admin, wanted, [Sent("a.png", b"x")], start=True)
    kept = desk.order(kit, admin, wanted, [], start=False)
    from mien.errors import JobRefused

    with pytest.raises(JobRefused):
        desk.add(kit.store(), admin, kept.id, [Sent("a.png", b"x")])


def test_names_that_are_no_text(kit, allowed):
    (allowed / os.fsdecode(b"caf\xe9.png")).write_bytes(picture(1))
    job = ordered(kit, "analyze", folder=allowed)
    with working(kit):
        assert ended(kit, job).job.failed == 0
    assert "caf\\udce9.png" in [row.source for row in rows(kit, job)]
