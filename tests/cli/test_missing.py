import json
import shutil
import time
from pathlib import Path

import msgspec
import pytest

from mien.cli import exits, missing
from mien.cli.main import run
from mien.people.cases import Case
from mien.people.watching import News


@pytest.fixture(scope="module")
def begun(mien_home, photos, tmp_path_factory):
    """A folder with a home in which people are enrolled, and a case of somebody who is, not run yet."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "home").mkdir()
    (folder / "home" / "packs").symlink_to(mien_home / "packs")
    probe = f"{photos / 'unknown' / 'portrait-2012.jpg'}=2012"
    year = '{"year": 2010}'
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIEN_HOME", str(folder / "home"))
        patch.chdir(folder)
        assert run(["enroll", "--people", str(photos / "known"), "--keep-crops", "--metadata", year]) == 0
        assert run(["missing", "new", "case", probe, "--title", "Somebody"]) == 0
    return folder


@pytest.fixture
def mien(begun, tmp_path, monkeypatch, capfd):
    """Run a command in a copy of that folder: exit code, stdout, stderr."""
    shutil.copytree(begun, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.setenv("MIEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def called(*words):
        capfd.readouterr()
        code = run([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return called


@pytest.fixture
def portrait(photos):
    return photos / "unknown" / "portrait-2012.jpg"


def read(folder="case"):
    return msgspec.json.decode((Path(folder) / "case.json").read_bytes(), type=Case)


def test_from_a_photograph_to_a_review(mien, tmp_path):
    code, out, err = mien("missing", "run", "case")
    assert code == 0
    first, second = out.splitlines()[1:3]
    assert "Barack Obama" in first
    assert "within the threshold" in first
    assert "2 years" in first
    assert "beyond the threshold" in second
    assert "case.html" in err
    assert (tmp_path / "case" / "case.html").read_text("utf-8").count("data:image/jpeg") > 4
    code, _, err = mien("missing", "review", "case", "Barack Obama", "--say", "yes", "--note", "the ears")
    assert (code, err) == (0, "Kept; 1 reviewed.\n")
    assert "yes" in mien("missing", "run", "case")[1].splitlines()[1]
    (review,) = read().reviews.values()
    assert (review.says, review.note) == ("yes", "the ears")


def test_json_is_the_case(mien):
    code, out, _ = mien("missing", "run", "case", "--json")
    assert code == 0
    assert msgspec.json.decode(out.encode(), type=Case) == read()
    best = read().run.candidates[0]
    assert (best.person, best.decision, best.gap_years) == ("Barack Obama", "known", 2)


def test_what_is_not_encrypted_is_said(mien, portrait):
    code, out, err = mien("missing", "new", "own", portrait)
    assert (code, out) == (0, "")
    assert "not encrypted" in err
    assert "1 undated" in err


def test_a_name_with_an_equals_sign_is_a_name(mien, portrait, tmp_path):
    odd = tmp_path / "a=1998"
    shutil.copy(portrait, odd)
    assert mien("missing", "new", "own", odd)[0] == 0
    assert mien("missing", "new", "other", f"{odd}=2001-02-03")[0] == 0
    assert (read("own").probes[0].taken, read("other").probes[0].taken) == ("", "2001-02-03")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("new", "c", "none.jpg"), 3, "none.jpg"),
        (("new", "c", "{portrait}=soon"), exits.USAGE, "soon"),
        (("new", "c", "{portrait}", "{portrait}"), exits.USAGE, "twice"),
        (("new", "c", "{rocket}"), 3, "No face"),
        (("new", "c"), exits.USAGE, "PHOTO"),
        (("new", "c", "."), exits.USAGE, "folder"),
        (("run", "none"), exits.USAGE, "mien missing new"),
        (("watch", "none", "--once"), exits.USAGE, "mien missing new"),
        (("review", "none", "Ada", "--say", "yes"), exits.USAGE, "none"),
        (("review", "none", "Ada", "--say", "maybe"), exits.USAGE, "maybe"),
    ],
)
def test_what_cannot_be_done_is_explained(mien, photos, words, code, said):
    place = {
        "portrait": photos / "unknown" / "portrait-2012.jpg",
        "rocket": photos / "unknown" / "rocket.jpg",
    }
    got, _, err = mien("missing", *(word.format(**place) for word in words))
    assert got == code
    assert said in err
    assert "Traceback" not in err


def test_a_collection_that_is_not_there_is_not_made(mien, portrait):
    assert mien("missing", "new", "own", portrait, "--collection", "twon")[0] == 0
    for command in (("run", "own"), ("watch", "own", "--once")):
        code, _, err = mien("missing", *command)
        assert code == 5
        assert "twon" in err
    assert read("own").run is None


def test_a_missing_photograph_is_named(mien, portrait, tmp_path):
    copy = tmp_path / "copy.jpg"
    shutil.copy(portrait, copy)
    assert mien("missing", "new", "other", copy)[0] == 0
    copy.unlink()
    code, _, err = mien("missing", "run", "other")
    assert code == 3
    assert "copy.jpg" in err
    code, out, err = mien("missing", "watch", "case", "other", "--once", "--json")
    assert code == exits.PARTIAL
    assert "other: " in err
    assert len(out.splitlines()) == 3, "the other case was run"


def test_watching_tells_what_is_new_once(mien, photos):
    code, out, _ = mien("missing", "watch", "case", "--once")
    assert code == 0
    assert [line.partition(": place ")[2][:1] for line in out.splitlines()] == ["1", "2", "3"]
    assert mien("missing", "watch", "case", "--once") == (0, "", "")
    assert mien("enroll", "Joe", photos / "unknown" / "blue-room.jpg")[0] == 0
    code, out, _ = mien("missing", "watch", "case", "--once", "--json")
    assert code == 0
    (one,) = [msgspec.json.decode(line, type=News) for line in out.splitlines()]
    assert (one.what, one.person, one.case) == ("new", "Joe", "case")
    assert set(json.loads(out)) == set(News.__struct_fields__)


def test_watching_goes_on_until_it_is_stopped(mien, monkeypatch):
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    code, out, _ = mien("missing", "watch", "case", "--every", "7")
    assert (code, pauses) == (exits.INTERRUPTED, [7.0, 7.0])
    assert len(out.splitlines()) == 3


def test_nobody_to_compare_with(mien, portrait):
    assert mien("missing", "new", "own", portrait, "--tag", "nowhere")[0] == 0
    code, out, _ = mien("missing", "run", "own")
    assert (code, out) == (0, "Nobody is enrolled in default who could be compared.\n")


def test_the_commands_are_there(mien):
    code, out, _ = mien("missing", "--help")
    assert code == 0
    for command in missing.app.registered_commands:
        assert command.callback.__name__ in out
