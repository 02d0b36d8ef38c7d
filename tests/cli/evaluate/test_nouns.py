"""`mien evaluate` detection, liveness, attributes, clustering, quality: from words to figures."""

import csv
import json

import pytest
import typer

from mien.cli.evaluate.attributes import attributes
from mien.cli.evaluate.clustering import clustering
from mien.cli.evaluate.detection import detection
from mien.cli.evaluate.liveness import liveness
from mien.cli.evaluate.quality import quality
from mien.errors import BadRequest

app = typer.Typer()
for command in (attributes, clustering, detection, liveness, quality):
    app.command(command.__name__)(command)


def run(*words):
    """What `mien evaluate` runs; errors are raised."""
    app([str(word) for word in words], standalone_mode=False)


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
    told = json.loads(capsys.readouterr().out)
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
    assert (told["photographs"], told["failures"], told["faces"], told["recall"]["errors"]) == (2, 1, 2, 0)
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
    told = json.loads(capsys.readouterr().out)
    assert (told["acer"], told["d_eer"], told["threshold"]) == (0, 0, 0.5)
    assert set(told["apcer"]) == {"print", "screen"}
    run("liveness", samples, "--labels", labels, "--threshold", 0, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["apcer_max"], told["bpcer"]["value"], told["acer"]) == (1, 0, 0.5)


def test_attributes_of_cut_outs_take_the_whole_picture(shared, modern, tmp_path, capsys):
    for label in ("happy", "surprise"):
        (tmp_path / label).mkdir()
        for path in sorted((shared("data/fer2013_private_test") / label).iterdir())[:12]:
            (tmp_path / label / path.name).symlink_to(path)
    words = ("attributes", "--images", tmp_path, "--layout", "folders", "--json")
    run(*words, "--whole-picture")
    told = json.loads(capsys.readouterr().out)
    assert told["expression"]["no_face"]["errors"] == 0
    assert told["expression"]["accuracy"]["value"] > 0.5
    assert len(told["provenance"]["packs"]) == 1  # no detector took part
    run(*words)
    told = json.loads(capsys.readouterr().out)
    assert told["expression"]["no_face"]["errors"] > 0


def test_attributes_by_names_of_utkface(shared, modern, tmp_path, capsys):
    for path in sorted(shared("data/utkface").iterdir())[::200]:
        (tmp_path / path.name).symlink_to(path)
    run("attributes", "--images", tmp_path, "--layout", "utkface")
    words = capsys.readouterr().out
    assert "years off on average" in words
    assert "accuracy of these" in words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "one of --labels and --layout"),
        (("--layout", "utkface", "--labels", "x.csv"), "one of --labels and --layout"),
        (("--layout", "piles"), "no layout 'piles'"),
        (("--layout", "folders", "--column", "age"), "cannot say 'age'"),
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
    told = json.loads(capsys.readouterr().out)
    assert (told["column"], told["fmr_requested"], told["fnmr"]["of"]) == ("quality", 0.1, 8)
    assert len(told["provenance"]["packs"]) == 3
    with pytest.raises(BadRequest, match="no measure of quality"):
        run("quality", "--pairs", pairs, "--images", images, "--column", "age")
