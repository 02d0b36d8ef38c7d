"""`mien evaluate` detection, liveness, attributes, clustering, quality: from words to figures."""

import csv
import json

import msgspec
import pytest
import typer

from mien.cli.evaluate.attributes import attributes
from mien.cli.evaluate.clustering import clustering
from mien.cli.evaluate.detection import detection
from mien.cli.evaluate.liveness import liveness
from mien.cli.evaluate.quality import quality
from mien.cli.schema import schemas
from mien.errors import BadRequest

app = typer.Typer()
for command in (attributes, clustering, detection, liveness, quality):
    app.command(command.__name__)(command)


def run(*words):
    """What `mien evaluate` runs; errors are raised."""
    app([str(word) for word in words], standalone_mode=False)


def said(capsys):
    """The document that was written; it is as one of the schemas has it."""
    told = json.loads(capsys.readouterr().out)

    def fits(kind):
        try:
            msgspec.convert(told, kind)
        except msgspec.ValidationError:
            return False
        return True

    assert [name for name, kind in schemas().items() if fits(kind)]
    return told


def written(file, *rows):
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return file


@pytest.fixture
def home(mien_home, monkeypatch):
    monkeypatch.setenv("MIEN_HOME", str(mien_home))


@pytest.fixture
def modern(modern_home, monkeypatch):
    monkeypatch.setenv("MIEN_HOME", str(modern_home))


def test_clustering_needs_no_photographs(tmp_path, capsys):
    truth = written(tmp_path / "t.csv", ("photo", "person"), ("a", "Ada"), ("b", "Ada"), ("c", "Grace"))
    found = written(tmp_path / "f.csv", ("photo", "cluster"), ("a", 1), ("b", 1))
    run("clustering", "--truth", truth, "--found", found, "--report", tmp_path / "report", "--json")
    told = said(capsys)
    assert (told["pairwise_f"], told["bcubed_f"], told["not_grouped"]) == (1, 1, 1)
    assert (tmp_path / "report" / "report.html").is_file()


def test_detection_counts_what_cannot_be_read_and_says_which(photos, home, tmp_path, capsys):
    good = next(photos.rglob("portrait*.jpg"))
    (tmp_path / "good.jpg").write_bytes(good.read_bytes())
    (tmp_path / "torn.jpg").write_bytes(good.read_bytes()[:2000])
    truth = tmp_path / "gt.txt"
    truth.write_text("good.jpg\n1\n0 0 1 1\ntorn.jpg\n1\n0 0 200 200\n")
    run("detection", "--truth", truth, "--images", tmp_path, "--json")
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["photographs"], told["failures"], told["faces"], told["recall"]["count"]) == (2, 1, 2, 0)
    assert told["false_positives_per_photograph"] == 0.5  # the face is not where the file says
    assert list(told["provenance"]["packs"]) == ["mtcnn"]
    assert "torn.jpg is truncated" in said.err


def test_detection_names_photographs_that_are_missing(tmp_path):
    (tmp_path / "gt.txt").write_text("a.jpg\n0\n")
    with pytest.raises(BadRequest, match=r"1 of 1 photographs .* a\.jpg"):
        run("detection", "--truth", tmp_path / "gt.txt", "--images", tmp_path)


def test_liveness_of_the_publishers_samples(shared, modern, tmp_path, capsys):
    samples = shared("data/liveness")
    rows = [
        ("photo", "kind"),
        ("image_T1.jpg", "real"),
        ("image_F1.jpg", "print"),
        ("image_F2.jpg", "screen"),
    ]
    labels = written(tmp_path / "kinds.csv", *rows)
    run("liveness", samples, "--labels", labels, "--json")
    told = said(capsys)
    assert (told["acer"], told["d_eer"], told["threshold"]) == (0, 0, 0.5)
    assert set(told["apcer"]) == {"print", "screen"}
    run("liveness", samples, "--labels", labels, "--threshold", 0, "--json")
    told = said(capsys)
    assert (told["apcer_max"], told["bpcer"]["value"], told["acer"]) == (1, 0, 0.5)


def test_liveness_by_group_of_kinds_in_folders_or_in_the_table(shared, modern, tmp_path, capsys):
    samples = shared("data/liveness")
    for kind, name in (("real", "image_T1.jpg"), ("print", "image_F1.jpg"), ("screen", "image_F2.jpg")):
        (tmp_path / "set" / kind).mkdir(parents=True)
        (tmp_path / "set" / kind / name).symlink_to(samples / name)
    labels = [("photo", "Light"), ("image_T1.jpg", "day"), ("image_F1.jpg", "day"), ("image_F2.jpg", "")]
    by_folder = written(tmp_path / "labels.csv", *labels)
    run("liveness", tmp_path / "set", "--labels", by_folder, "--by", "Light", "--json")
    (groups,) = said(capsys)["groups"]
    assert groups["column"] == "Light"
    (day,) = groups["bpcer"]["groups"]
    assert (day["group"], day["cases"], day["rate"]["count"], day["rate"]["of"]) == ("day", 1, 0, 1)
    assert groups["bpcer"]["ratio"]["note"].startswith("not enough")
    assert {kind: (len(part["groups"]), part["unlabelled"]) for kind, part in groups["apcer"].items()} == {
        "print": (1, 0),
        "screen": (0, 1),
    }
    kinds = ("kind", "real", "print", "screen")
    both = written(tmp_path / "both.csv", *((*row, kind) for row, kind in zip(labels, kinds, strict=True)))
    words = ("liveness", samples, "--labels", both, "--by", "Light", "--report", tmp_path / "report")
    run(*words)
    assert "BPCER by Light" in capsys.readouterr().out
    assert json.loads((tmp_path / "report" / "report.json").read_text())["groups"] == [groups]


def test_a_column_wants_a_file(tmp_path):
    for kind in ("live", "print"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{kind}.jpg").touch()
    with pytest.raises(BadRequest, match=r"--by COLUMN wants --labels"):
        run("liveness", tmp_path, "--by", "light")
    labels = written(tmp_path / "l.csv", ("person", "light"), ("", "day"))
    with pytest.raises(BadRequest, match="no column photo"):
        run("liveness", tmp_path, "--labels", labels, "--by", "light")
    (tmp_path / "gt.txt").write_text("live/live.jpg\n0\n")
    words = ("detection", "--truth", tmp_path / "gt.txt", "--images", tmp_path)
    with pytest.raises(BadRequest, match=r"--by COLUMN wants --labels"):
        run(*words, "--by", "light")
    with pytest.raises(BadRequest, match=r"--labels FILE is for --by"):
        run(*words, "--labels", labels)


def test_detection_by_group_of_photographs(photos, home, tmp_path, capsys):
    good = next(photos.rglob("portrait*.jpg"))
    (tmp_path / "good.jpg").write_bytes(good.read_bytes())
    (tmp_path / "torn.jpg").write_bytes(good.read_bytes()[:2000])
    truth = tmp_path / "gt.txt"
    truth.write_text("good.jpg\n0\n0 0 0 0 0 0 0 0 0 0\ntorn.jpg\n2\n0 0 200 200\n300 0 20 20\n")
    labels = written(tmp_path / "l.csv", ("photo", "state"), ("good.jpg", "whole"), ("torn.jpg", "damaged"))
    words = ("detection", "--truth", truth, "--images", tmp_path, "--labels", labels, "--by", "state")
    run(*words, "--json")
    told = said(capsys)
    (group,) = told["groups"][0]["groups"]  # there is no face to be found on the other
    assert (told["groups"][0]["measure"], group["group"]) == ("miss_rate", "damaged")
    assert (group["rate"]["count"], group["rate"]["of"]) == (2, 2)
    assert told["provenance"]["data"]["labels"] == str(labels)


def test_attributes_of_cut_outs_take_the_whole_picture(shared, modern, tmp_path, capsys):
    for label in ("happy", "surprise"):
        (tmp_path / label).mkdir()
        for path in sorted((shared("data/fer2013_private_test") / label).iterdir())[:12]:
            (tmp_path / label / path.name).symlink_to(path)
    words = ("attributes", "--images", tmp_path, "--layout", "folders", "--json")
    run(*words, "--whole-picture")
    told = said(capsys)
    assert told["expression"]["no_face"]["count"] == 0
    assert told["expression"]["accuracy"]["value"] > 0.5
    assert len(told["provenance"]["packs"]) == 1  # no detector took part
    run(*words)
    told = said(capsys)
    assert told["expression"]["no_face"]["count"] > 0


def test_attributes_by_names_of_utkface(shared, modern, tmp_path, capsys):
    for path in sorted(shared("data/utkface").iterdir())[::200]:
        (tmp_path / path.name).symlink_to(path)
    run("attributes", "--images", tmp_path, "--layout", "utkface")
    words = capsys.readouterr().out
    assert "years off on average" in words
    assert "accuracy of these" in words
    columns = ("age", "gender", "origin")
    run(
        "attributes",
        "--images",
        tmp_path,
        "--layout",
        "utkface",
        *(f"--by={name}" for name in columns),
        "--json",
    )
    told = said(capsys)
    assert [one["column"] for one in told["groups"]] == list(columns)
    by_age, by_gender, by_origin = told["groups"]
    assert len(by_age["age"]["groups"]) == 4
    assert [one["group"] for one in by_gender["gender"]["groups"]] == ["female", "male"]
    assert "expression" not in by_gender
    for one in by_origin["age"], by_origin["gender"]:
        assert sum(group["cases"] for group in one["groups"]) == told["photographs"]
    errors = sum(group["rate"]["count"] for group in by_origin["gender"]["groups"])
    assert errors == told["gender"]["accuracy"]["of"] - told["gender"]["accuracy"]["count"]
    weighted = sum(group["mae"]["value"] * group["mae"]["of"] for group in by_age["age"]["groups"])
    assert weighted / told["age"]["faces"] == pytest.approx(told["age"]["mae"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "one of --labels and --layout"),
        (("--layout", "utkface", "--labels", "x.csv"), "one of --labels and --layout"),
        (("--layout", "piles"), "no layout 'piles'"),
        (("--layout", "folders", "--column", "age"), "cannot say 'age'"),
        (("--layout", "folders", "--by", "origin"), "nothing to split by"),
    ],
)
def test_attributes_must_be_told_what_is_true(tmp_path, words, said):
    with pytest.raises(BadRequest, match=said):
        run("attributes", "--images", tmp_path, *words)


def test_quality_over_pairs(shared, modern, tmp_path, capsys):
    images = shared("data/lfw/images")
    people = [folder for folder in sorted(images.iterdir()) if len(list(folder.iterdir())) > 1][:8]
    first, second = (
        [str(sorted(folder.iterdir())[i].relative_to(images)) for folder in people] for i in (0, 1)
    )
    rows = [(a, b, "yes") for a, b in zip(first, second, strict=True)]
    rows += [(a, b, "no") for i, a in enumerate(first) for b in second[i + 1 :]]
    pairs = written(tmp_path / "pairs.csv", ("a", "b", "same"), *rows)
    run("quality", "--pairs", pairs, "--images", images, "--fmr", 0.1, "--json")
    told = said(capsys)
    assert (told["column"], told["fmr_requested"], told["fnmr"]["of"]) == ("quality", 0.1, 8)
    assert len(told["provenance"]["packs"]) == 3
    with pytest.raises(BadRequest, match="no measure of quality"):
        run("quality", "--pairs", pairs, "--images", images, "--column", "age")
