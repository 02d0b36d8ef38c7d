import json
import sys

import msgspec
import numpy as np
import pytest

from mien.cli.evaluate.finish import finish
from mien.errors import BadRequest
from mien.evaluate.evaluation import Curves, Evaluation, Line, Rate, Table
from mien.packs.builtin import builtin_manifests


class Measures(msgspec.Struct, frozen=True):
    eer: Rate


@pytest.fixture
def outcome(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/mien", "evaluate", "x", "--pairs", "a b"])
    x = np.linspace(0, 1, 4)
    table = Table("Rates [bold]", ("group", "n"), [("[red]x[/red]\x1b[31m", "1,204"), ("b", "7")], "A note.")
    chart = Curves("c", "x", "y", [Line("l", x, x)])
    return Evaluation("x", "All well.", Measures(Rate(0.25)), [table], [chart])


PACKS = [builtin_manifests()["yunet"]]


def test_tables_for_people(outcome, capsys):
    finish(outcome, PACKS, {}, None, False)
    said, beside = capsys.readouterr()
    lines = said.splitlines()
    assert lines[0] == "All well."
    assert "Rates [bold]" in said
    assert "[red]x[/red]\\x1b[31m" in said
    assert "\x1b" not in said
    assert "A note." in lines
    ends = {
        line.rstrip().rfind(n) + len(n) for n in ("1,204", "7") for line in lines if line.rstrip().endswith(n)
    }
    assert len(ends) == 1  # numbers are aligned at their ends
    assert beside == ""


def test_json_for_programs(outcome, capsys, tmp_path):
    finish(outcome, PACKS, {"images": "LFW"}, tmp_path / "out", True)
    said, beside = capsys.readouterr()
    found = json.loads(said)
    assert found["eer"]["value"] == 0.25
    assert found["provenance"]["command"] == "mien evaluate x --pairs 'a b'"
    assert found["provenance"]["data"] == {"images": "LFW"}
    assert found["provenance"]["packs"].keys() == {"yunet"}
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8")) == found
    assert str(tmp_path / "out" / "report.html") in beside


def test_figures_are_not_lost_to_a_folder_that_cannot_be_written(outcome, capsys, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadRequest, match="cannot be written"):
        finish(outcome, PACKS, {}, tmp_path / "file", False)
    assert "All well." in capsys.readouterr().out
