"""`mien evaluate verification` and `identification`, and `mien calibrate`, on photographs of people."""

import csv
import json

import msgspec
import pytest

from mien.cli import exits
from mien.cli.main import run
from mien.cli.schema import schemas

PEOPLE = 60


@pytest.fixture(scope="module")
def album(shared, tmp_path_factory):
    """A folder of two photographs or more for each of some people."""
    folder = tmp_path_factory.mktemp("album")
    chosen = [
        found for found in sorted(shared("data/lfw/images").iterdir()) if len(list(found.iterdir())) > 1
    ]
    for person in chosen[: 2 * PEOPLE : 2]:
        (folder / person.name).mkdir()
        for photo in sorted(person.iterdir())[:3]:
            (folder / person.name / photo.name).symlink_to(photo)
    return folder


@pytest.fixture
def mien(modern_home, tmp_path, monkeypatch, capfd):
    """Run a command line in a home with all packs; returns exit code, stdout and stderr."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "packs").symlink_to(modern_home / "packs")
    for name, value in (("HOME", home), ("DETECTOR", "yunet"), ("EMBEDDER", "mobilefacenet")):
        monkeypatch.setenv(f"MIEN_{name}", str(value))

    def call(*words):
        capfd.readouterr()
        code = run([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def test_verification_of_listed_pairs(mien, shared):
    folder = shared("data/faces_wild/pairs_labelled")
    code, out, _ = mien(
        "evaluate", "verification", "--pairs", folder / "master.csv", "--images", folder, "--json"
    )
    assert code == 0
    told = json.loads(out)
    msgspec.convert(told, schemas()["evaluate-verification"])
    assert told["accuracy"] > 0.97
    assert told["comparisons"]["genuine"] + told["comparisons"]["impostor"] == 300
    assert told["operating"]["source"] == "manifest"
    assert set(told["fnmr_at_fmr"]) == {"0.01", "0.001", "0.0001", "1e-05", "1e-06"}
    assert told["provenance"]["packs"].keys() == {"yunet", "mobilefacenet"}


def test_verification_of_everybody_by_group(mien, album, tmp_path):
    labels = tmp_path / "labels.csv"
    with labels.open("w", newline="") as stream:
        rows = [(person.name, "ab"[i % 2]) for i, person in enumerate(sorted(album.iterdir()))]
        csv.writer(stream).writerows([("person", "Side"), *rows])
    words = ("evaluate", "verification", "--images", album, "--labels", labels, "--by", "Side")
    code, out, err = mien(*words, "--report", tmp_path / "report")
    assert code == 0
    assert "By Side" in out
    assert "photographs without a face" in out
    assert str(tmp_path / "report" / "report.html") in err
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    assert told["comparisons"]["people"] == PEOPLE
    assert [group["people"] for group in told["groups"][0]["groups"]] == [PEOPLE // 2] * 2
    assert told["accuracy"] is None
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<svg") == 5
    assert "By Side" in page


def test_labels_and_the_column_go_together(mien, album):
    code, _, err = mien("evaluate", "verification", "--images", album, "--by", "Side")
    assert code == exits.USAGE
    assert "--labels" in err


def test_identification(mien, album, tmp_path):
    code, out, _ = mien("evaluate", "identification", "--images", album, "--json")
    assert code == 0
    told = json.loads(out)
    msgspec.convert(told, schemas()["evaluate-identification"])
    assert told["mode"] == "open set"
    assert told["searches"]["gallery"] == PEOPLE // 2
    assert told["rank"]["1"]["value"] > 0.9
    names = [person.name for person in sorted(album.iterdir())][:5]
    (tmp_path / "watch.txt").write_text("\n".join(names))
    code, out, _ = mien(
        "evaluate", "identification", "--images", album, "--watch-list", tmp_path / "watch.txt", "--json"
    )
    told = json.loads(out)
    assert (told["mode"], told["searches"]["gallery"]) == ("watch list", 5)
    assert told["searches"]["stranger_people"] == PEOPLE - 5


def test_calibrate_then_verify_then_check(mien, album, tmp_path):
    two = sorted(sorted(album.iterdir())[3].iterdir())[:2]
    assert "probability" not in mien("verify", "--largest", *two)[1]
    code, out, err = mien("calibrate", album, "--fmr", "0.1", "--report", tmp_path / "report")
    assert code == 0, err
    assert "decide by it from now on" in err
    assert "Thresholds" in out
    assert (tmp_path / "report" / "report.html").is_file()
    kept = list((tmp_path / "home" / "calibrations").iterdir())
    assert len(kept) == 1
    assert kept[0].stat().st_size < 20_000
    # No name of anybody, no path, no embedding.
    assert not any(person.name in kept[0].read_text() for person in album.iterdir())

    code, out, _ = mien("verify", "--largest", *two, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["source"] == "calibration"
    assert told["fmr"] == 0.1
    assert told["probability"] > 0.5
    assert "probability" in mien("verify", "--largest", *two)[1]

    code, out, _ = mien("calibrate", album, "--check", "--json")
    assert code == 0
    msgspec.convert(json.loads(out), schemas()["calibrate-check"])
    msgspec.convert(json.loads((tmp_path / "report" / "report.json").read_text()), schemas()["calibrate"])
    code, out, _ = mien("calibrate", album, "--check")
    assert "Nothing speaks against" in out
    code, out, err = mien("info")
    assert str(kept[0]) in out


def test_calibrate_refuses_what_the_photographs_cannot_tell(mien, album, tmp_path):
    code, out, err = mien("calibrate", album, "--fmr", "1e-5")
    assert (code, out) == (11, "")
    assert "not enough comparisons" in err
    assert not (tmp_path / "home" / "calibrations").exists()
    code, _, err = mien("calibrate", album, "--check")
    assert code == exits.USAGE
    assert "no calibration" in err
    assert mien("calibrate", album, "--fmr", "2")[0] == exits.USAGE
    assert mien("calibrate", tmp_path / "none")[0] == exits.USAGE


def test_a_calibration_elsewhere_is_used_where_it_is_named(mien, album, tmp_path):
    file = tmp_path / "mine.json"
    assert mien("calibrate", album, "--fmr", "0.1", "--out", file)[0] == 0
    two = sorted(sorted(album.iterdir())[3].iterdir())[:2]
    assert json.loads(mien("verify", "--largest", *two, "--json")[1])["source"] == "manifest"
    told = json.loads(mien("verify", "--largest", *two, "--json", "--calibration", file)[1])
    assert told["source"] == "calibration"
    told = json.loads(mien("verify", "--largest", *two, "--json", "--calibration", file, "--fmr", "0.2")[1])
    assert told["fmr"] == 0.2
    file.write_text(file.read_text().replace("0.1", "0.3"))
    code, _, err = mien("verify", "--largest", *two, "--calibration", file)
    assert code == 11
    assert "calibration_invalid" in err


def test_photographs_that_cannot_be_read_are_counted_named_and_told_by_the_exit_code(mien, album, tmp_path):
    people = tmp_path / "people"
    for person in sorted(album.iterdir())[:20]:
        (people / person.name).mkdir(parents=True)
        for photo in person.iterdir():
            (people / person.name / photo.name).symlink_to(photo.resolve())
    torn = people / sorted(album.iterdir())[0].name / "torn.jpg"
    torn.write_bytes(b"no picture")
    code, out, err = mien("evaluate", "verification", "--images", people, "--json")
    assert code == exits.PARTIAL
    told = json.loads(out)
    assert told["failure_to_acquire"]["count"] >= 1
    assert told["provenance"]["unusable"] == {str(torn): "unreadable_image"}
    assert "1 photographs could not be used" in err


def test_a_report_without_a_place_is_told_at_once(mien, album, tmp_path):
    (tmp_path / "file").write_text("x")
    for noun in ("verification", "identification"):
        code, out, err = mien("evaluate", noun, "--images", album, "--report", tmp_path / "file" / "r")
        assert (code, out) == (exits.USAGE, "")
        assert "cannot be made" in err
