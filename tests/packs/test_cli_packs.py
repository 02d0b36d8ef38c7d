import json

import pytest
import typer
from typer.testing import CliRunner

from mien.cli.packs import app as packs
from mien.errors import LicenceNotAccepted, PackCorrupt, PackMissing
from mien.settings import Settings

CONTENT = b"weights of a toy"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def mien(settings):
    """Run `mien packs ...`; errors come out as they are raised."""
    app = typer.Typer()

    @app.callback()
    def main(ctx: typer.Context):
        ctx.obj = settings

    app.add_typer(packs, name="packs")

    def run(*arguments, answer=None, raises=None):
        result = CliRunner().invoke(app, ["packs", *arguments], input=answer, env={"COLUMNS": "200"})
        if raises is None:
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            return result
        assert isinstance(result.exception, raises)
        return result

    return run


@pytest.fixture
def ship(tmp_path, shipped, toy):
    """Ship two toys, one of them with changes."""
    (tmp_path / "weights").write_bytes(CONTENT)

    def ship(**changes):
        url = f"file:{tmp_path}/weights"
        shipped(toy=toy(CONTENT, url, **changes), other=toy(CONTENT, url, name="other"))

    ship()
    return ship


def test_list_shows_states(mien, ship):
    mien("install", "toy")
    rows = {row["name"]: row for row in json.loads(mien("list", "--json").stdout)}
    assert {name: row["state"] for name, row in rows.items()} == {
        "toy": "installed",
        "other": "not installed",
    }
    assert rows["toy"]["fetch_bytes"] == len(CONTENT)
    assert rows["other"]["folder"] is None
    text = mien("list").stdout
    assert "not installed" in text
    assert "MIT" in text


def test_install_of_a_set_shows_licences_and_progress_on_stderr(mien, ship, settings):
    result = mien("install", "starter")
    for name in ("toy", "other"):
        assert f"{name} is installed in {settings.packs_dir / name}" in result.stdout
        assert f"{name}: MIT License, commercial use allowed." in result.stderr
        assert f"{name}: read Weights.bin" in result.stderr
    assert "licence" not in result.stdout.lower()


def test_install_json_is_all_that_stdout_gets(mien, ship):
    rows = json.loads(mien("install", "toy", "--json").stdout)
    assert [(row["name"], row["state"]) for row in rows] == [("toy", "installed")]


def test_restricted_licence(mien, ship):
    ship(restricted=True, commercial=False)
    result = mien("install", "toy", raises=LicenceNotAccepted)
    assert "no commercial use, needs --accept-licence" in result.stderr
    assert mien("install", "toy", "--accept-licence").exit_code == 0


def test_force_makes_it_again(mien, ship, settings):
    mien("install", "toy")
    file = settings.packs_dir / "toy" / "weights.onnx"
    number = file.stat().st_ino
    mien("install", "toy")
    assert file.stat().st_ino == number
    mien("install", "toy", "--force")
    assert file.stat().st_ino != number


def test_info_tells_everything(mien, ship):
    figure = (
        '[threshold]\nmetric = "cosine"\ndistance = 0.5\nfmr = 0.01\nmeasured = "here"\n'
        '[[figures]]\nwhat = "LFW accuracy"\nvalue = 0.9\nby = "us"\n'
    )
    ship(more=figure)
    text = mien("info", "toy").stdout
    for said in (
        "A toy.",
        "not installed",
        "MIT License",
        "Nobody",
        "weights.onnx",
        "cosine 0.5: here",
        "0.9 (us)",
    ):
        assert said in text
    row = json.loads(mien("info", "toy", "--json").stdout)
    assert row["threshold"]["metric"] == "cosine"
    assert row["sources"][0]["name"] == "Weights.bin"


def test_verify_all_or_some(mien, ship, settings):
    mien("install", "starter")
    assert mien("verify").stdout.splitlines() == ["other: whole", "toy: whole"]
    (settings.packs_dir / "toy" / "weights.onnx").write_bytes(CONTENT[::-1])
    assert mien("verify", "other").stdout == "other: whole\n"
    result = mien("verify", raises=PackCorrupt)
    assert "has changed" in result.stdout
    assert result.exception.hint == "Install again: mien packs install toy --force"
    problems = json.loads(mien("verify", "--json", raises=PackCorrupt).stdout)
    assert [(row["name"], len(row["problems"])) for row in problems] == [("other", 0), ("toy", 1)]


def test_remove_asks(mien, ship, settings):
    mien("install", "starter")
    assert mien("remove", "toy", answer="n\n").exit_code == 1
    assert mien("remove", "toy", answer="").exit_code == 1
    assert (settings.packs_dir / "toy").exists()
    result = mien("remove", "toy", answer="y\n")
    assert "Delete toy from" in result.stderr
    assert "toy is removed" in result.stdout
    mien("remove", "other", "--yes")
    assert mien("verify").stdout == ""
    mien("remove", "toy", "--yes", raises=PackMissing)


def test_unknown_names_are_refused_before_anything_happens(mien, ship, settings):
    for command in ("install", "remove", "verify"):
        result = mien(command, "toy", "tyo", raises=PackMissing)
        assert result.exception.hint == "Did you mean toy?"
    mien("info", "tyo", raises=PackMissing)
    assert not settings.home.exists()
