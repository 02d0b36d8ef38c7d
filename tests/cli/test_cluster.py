import json

import msgspec
import pytest

from htmlpages import Reader
from mien.answers.clusters import SCHEMAS
from mien.cli import exits
from mien.cli.main import run


@pytest.fixture(scope="module")
def home(mien_home, tmp_path_factory):
    """A home of its own with the packs of all tests: galleries are written here."""
    made = tmp_path_factory.mktemp("clustered")
    (made / "packs").symlink_to(mien_home / "packs")
    return made


@pytest.fixture
def mien(home, monkeypatch, capfd):
    """Run a command line; returns exit code, stdout and stderr."""
    monkeypatch.setenv("MIEN_HOME", str(home))

    def call(*words):
        capfd.readouterr()
        code = run([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def answer(mien):
    """Run `mien cluster VERB ... --json`; returns the answer, checked against its schema."""

    def call(verb, *words, code=exits.FINE):
        got, out, err = mien("cluster", verb, *words, "--json")
        assert got == code, err
        msgspec.json.decode(out, type=SCHEMAS[f"cluster-{verb}"], strict=True)
        return json.loads(out)

    return call


@pytest.fixture
def store(tmp_path):
    """A store for one test."""
    return ("--store", tmp_path / "people.db")


@pytest.fixture
def obama(photos):
    return photos / "known" / "Barack Obama"


@pytest.fixture
def hopper(photos):
    return photos / "known" / "Grace Hopper"


def test_from_a_folder_to_people_with_names(mien, answer, store, photos, obama, tmp_path):
    album = ("--album", "a trip", *store)
    done = answer("add", photos / "known", *album)
    assert (done["album"], done["failures"], done["repeated"]) == ("a trip", [], 0)
    assert done["faces"] == done["photographs"]
    assert done["groups"] == done["new_groups"] == 3
    again = answer("add", photos / "known", *album)
    assert (again["photographs"], again["faces"], again["repeated"]) == (0, 0, done["photographs"])

    listed = answer("list", *album)
    first, *others = listed["groups"]
    assert {len(group["faces"]) for group in others} == {1}
    assert len(first["faces"]) == len(list(obama.iterdir()))
    assert all("Barack Obama" in face["source"] for face in first["faces"])
    assert all(face["sure"] and not face["by_hand"] for face in first["faces"])
    assert "embedding" not in json.dumps(listed)

    page = tmp_path / "new folder" / "sheet.html"
    code, out, err = mien("cluster", "sheet", *album, "--out", page)
    assert (code, out) == (exits.FINE, f"{page} is written\n")
    assert "not encrypted" in err
    reader = Reader(page.read_text("utf-8"))
    assert len(reader.fetched) == done["faces"], "a picture of every face"
    assert first["id"] in reader.words

    who = answer("name", first["id"], "Barack Obama", *album)
    assert (who["name"], who["faces"], who["collection"]) == ("Barack Obama", len(first["faces"]), "default")
    assert {group["id"] for group in answer("list", *album)["groups"]} == {group["id"] for group in others}
    code, out, _ = mien("identify", photos / "unknown" / "portrait-2012.jpg", *store)
    assert code == exits.FINE
    assert "Barack Obama" in out
    again = answer("add", photos / "known", *album)
    assert (again["faces"], again["groups"]) == (0, 2), "who was taken over does not come back"


def test_reviewing(mien, answer, store, obama, hopper):
    album = ("--album", "review", *store)
    answer("add", obama, hopper, *album)
    big, small = answer("list", *album)["groups"]
    face = big["faces"][-1]["face"]
    alone = answer("move", face, *album)
    assert (alone["faces"], alone["name"]) == (1, None)
    answer("add", obama, hopper, *album)
    assert len(answer("list", *album)["groups"]) == 3
    back = answer("merge", big["id"], alone["id"], *album)
    assert (back["id"], back["faces"]) == (big["id"], len(big["faces"]))
    named = answer("name", small["id"], "Grace", "--into", "review", *album)
    assert (named["id"], named["name"], named["collection"]) == (small["id"], "Grace", "review")
    moved = answer("move", face, "--to", "Grace", *album)
    assert (moved["id"], moved["faces"]) == (small["id"], 2)
    code, out, _ = mien("cluster", "list", *album)
    assert code == exits.FINE
    assert [line.split()[1:3] for line in out.splitlines() if "Grace" in line] == [["Grace", "2"]]


def test_words_for_people(mien, store, obama, rng):
    code, out, err = mien("cluster", "add", obama, "--album", "it's mine", *store)
    assert code == exits.FINE
    assert "faces added" in out or "face added" in out
    assert "1 group in it's mine: 1 new" in out
    assert "mien cluster sheet --album 'it'\"'\"'s mine' --out sheet.html" in err


def test_without_crops_there_is_nothing_to_look_at(mien, answer, store, hopper, tmp_path):
    album = ("--album", "bare", *store)
    answer("add", hopper, *album, "--no-crops")
    page = tmp_path / "sheet.html"
    assert mien("cluster", "sheet", *album, "--out", page)[0] == exits.FINE
    assert Reader(page.read_text("utf-8")).fetched == []


def test_pictures_that_fail_are_told_of_and_the_others_kept(mien, answer, store, hopper, tmp_path):
    album = ("--album", "partly", *store)
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0 nothing")
    done = answer("add", bad, hopper, *album, code=exits.PARTIAL)
    assert [(row["source"], row["error"]["code"]) for row in done["failures"]] == [
        (str(bad), "unreadable_image")
    ]
    assert done["faces"] == 1
    code, _, err = mien("cluster", "add", bad, *album)
    assert code == 3
    assert "unreadable_image" in err


def test_what_cannot_be(mien, answer, store, hopper, tmp_path):
    album = ("--album", "odd", *store)
    code, _, err = mien("cluster", "list", *album)
    assert code == 5
    assert "collection_unknown" in err
    code, _, err = mien("cluster", "add", tmp_path / "nothing here", *album)
    assert (code, "unreadable_image" in err) == (3, True)
    (tmp_path / "empty").mkdir()
    code, _, err = mien("cluster", "add", tmp_path / "empty", *album)
    assert (code, "No pictures were found" in err) == (3, True)
    code, _, err = mien("cluster", "add", hopper, "--album", "default", *store)
    assert (code, "another name" in err) == (exits.USAGE, True)
    done = answer("add", hopper, *album)
    assert done["groups"] == 1
    (group,) = answer("list", *album)["groups"]
    for words, error in (
        (("name", "nobody", "Ada"), "person_unknown"),
        (("move", "nothing"), "face_unknown"),
        (("move", group["faces"][0]["face"], "--to", "nobody"), "person_unknown"),
        (("merge", group["id"], "nobody"), "person_unknown"),
    ):
        code, _, err = mien("cluster", *words, *album)
        assert (code, error in err) == (5, True), words
    for words in (("merge", group["id"]), ("merge", group["id"], group["id"]), ("name", group["id"], " ")):
        assert mien("cluster", *words, *album)[0] == exits.USAGE, words
    code, _, err = mien("cluster", "sheet", *album, "--out", tmp_path)
    assert code == exits.OUTPUT


def test_control_c_says_how_to_go_on(mien, answer, store, obama, hopper, monkeypatch):
    from mien.kit import Mien

    honest = Mien.analyze

    def stopped(self, sources, columns):
        for done, result in enumerate(honest(self, sources, columns)):
            if done == 1:
                raise KeyboardInterrupt
            yield result

    album = ("--album", "stopped", *store)
    with monkeypatch.context() as patched:
        patched.setattr(Mien, "analyze", stopped)
        code, _, err = mien("cluster", "add", hopper, obama, *album)
    assert code == exits.INTERRUPTED
    assert "repeat the command" in err
    done = answer("add", hopper, obama, *album)
    assert done["repeated"] == 1
    assert done["groups"] == 2
