import json

import pytest
import typer
from typer.testing import CliRunner

from mien.cli import exits
from mien.cli.compare import compare


@pytest.fixture
def mien(tmp_path, monkeypatch):
    """Run `mien compare` with an empty home."""
    monkeypatch.setenv("MIEN_HOME", str(tmp_path / "home"))
    app = typer.Typer()
    app.command()(compare)

    def call(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return call


def test_who_cannot_run_says_why(mien, photos):
    found = mien("--images", photos / "unknown", "--against", "opencv, uniface", "--json")
    assert found.exit_code == exits.PARTIAL  # nobody else came
    said = json.loads(found.stdout)
    assert [one["name"] for one in said["absent"]] == ["OpenCV", "UniFace"]
    assert said["absent"][0]["hint"] == "mien packs install yunet-2023mar mobilefacenet"
    assert said["provenance"]["data"]["images"] == str(photos / "unknown")


def test_as_tables(mien, photos):
    found = mien("--images", photos / "unknown", "--against", "opencv")
    assert found.exit_code == exits.PARTIAL  # nobody else came
    assert "Nobody was there to compare with." in found.stdout
    assert "mien packs install yunet-2023mar mobilefacenet" in found.stdout


def test_pairs_are_read(mien, photos, tmp_path):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b,same\nrocket.jpg,nowhere.jpg,no\n")
    found = mien("--images", photos / "unknown", "--pairs", pairs)
    assert found.exit_code != 0
    assert "nowhere.jpg" in str(found.exception)


def test_an_interpreter_without_its_peer(mien, photos):
    found = mien("--images", photos, "--against", "opencv", "--python", "uniface=/bin/true")
    assert "uniface has an interpreter" in str(found.exception)
