import json
import re
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from htmlpages import Reader
from mien.errors import BadRequest, ExtraMissing
from mien.evaluate.charts import drawing
from mien.evaluate.evaluation import Bars, Curves, Evaluation, Line, Matrix, Rate, Table
from mien.evaluate.provenance import Provenance
from mien.evaluate.report import as_json, is_numeric, report_page, write_report
from mien.runtime.machine import Machine

ODD = '<script>alert("1")</script>\x1b[31m\udcff'


class Measures(msgspec.Struct, frozen=True):
    accuracy: float
    eer: Rate
    fnmr_at_fmr: dict[str, Rate]
    apcer: Rate
    area: float
    space: str


def evaluation(name="a", charts=True):
    x = np.linspace(0, 1, 5)
    drawn = [
        Curves(f"Curve {name}", "x", "y", [Line(name, x, x)], note=f"How to read {name}."),
        Bars(f"Bars {name}", "k", "v", {name: 0.5}),
        Matrix("面", "true", "said", [name], [name], np.array([[1]])),
        Matrix("面", "true", "said", [name], [name], np.array([[2]])),
    ]
    measures = Measures(
        0.9942, Rate(0.0058, 0.004, 0.0081, 17, 3000), {name: Rate(0.1)}, Rate(None, note="few"), np.nan, name
    )
    table = Table(f"Table {name}", ("what", "n"), [(name, "1,204"), ("b", "–")], f"Note {name}.")
    facts = {f"fact {name}": f"0.58 % {name}"}
    return Evaluation("verification", f"Outcome {name}.", measures, [table], drawn if charts else [], facts)


@pytest.fixture
def made():
    machine = Machine("1.2.3", "1.20", "CPython 3.11", "Linux x86_64", 2, "Fast One", 8 * 2**30)
    return Provenance(
        "2026-05-21T12:30:00+02:00",
        "mien evaluate verification --pairs 'a b'",
        "1.2.3",
        "0123abc-dirty",
        {"yunet": "yunet:0123456789abcdef"},
        machine,
        {"images": "LFW/images"},
    )


def test_the_page_says_what_was_measured_and_how(made):
    page = Reader(report_page(evaluation(), made))
    assert (page.wrong, page.open) == ([], [])
    for said in (
        "Mien verification",
        "Outcome a.",
        "fact a",
        "0.58 % a",
        "Table a",
        "Note a.",
        "1,204",
        "Curve a",
        "How to read a.",
        "mien evaluate verification --pairs 'a b'",
        "LFW/images",
        "yunet:0123456789abcdef",
        "0123abc-dirty",
        "Fast One, 2 cores, 8.0 GiB of memory",
        "2026-05-21T12:30:00+02:00",
    ):
        assert said in page.words
    assert page.tags.count("svg") == page.tags.count("figure") == 4
    assert len(page.ids) == len(set(page.ids))


def test_the_page_asks_nobody_for_anything(made):
    text = report_page(evaluation(), made)
    page = Reader(text)
    assert page.fetched == []
    assert not {"script", "link", "iframe", "object", "base", "image"} & set(page.tags)
    assert page.tags.count("style") == 1
    assert not re.search(r"url\((?!#chart-)|@import|https?://(?!www\.w3\.org/2000/svg)", text)


def test_words_of_users_stay_words(made):
    hostile = msgspec.structs.replace(made, command=ODD, data={ODD: ODD})
    text = report_page(evaluation(ODD), hostile)
    page = Reader(text)
    assert (page.wrong, page.open) == ([], [])
    assert "script" not in page.tags
    assert "\x1b" not in text
    assert text.encode("utf-8")
    assert '<script>alert("1")</script>\\x1b[31m\\udcff' in page.words


def test_an_evaluation_without_charts_or_rows_has_a_page(made):
    bare = Evaluation(
        "x", "Nothing.", msgspec.defstruct("None_", [], frozen=True)(), [Table("T", (), ())], []
    )
    page = Reader(report_page(bare, made))
    assert (page.wrong, page.open) == ([], [])
    assert "Nothing to show." in page.words
    assert "figure" not in page.tags
    assert "Charts" not in page.words


def test_json_holds_every_measure_by_name(made):
    found = json.loads(msgspec.json.encode(as_json(evaluation(), made)))
    assert found["accuracy"] == 0.9942
    assert found["eer"] == {
        "value": 0.0058,
        "low": 0.004,
        "high": 0.0081,
        "count": 17,
        "of": 3000,
        "note": "",
    }
    assert found["apcer"]["value"] is None
    assert found["area"] is None
    assert found["provenance"]["packs"] == made.packs
    assert found["provenance"]["machine"]["memory_bytes"] == 8 * 2**30


def test_json_takes_names_that_are_not_utf8(made):
    found = json.loads(msgspec.json.encode(as_json(evaluation(ODD), made)))
    assert found["space"] == '<script>alert("1")</script>\x1b[31m\\udcff'
    assert list(found["fnmr_at_fmr"]) == [found["space"]]


def test_the_files(made, tmp_path):
    folder = tmp_path / "new" / "out"
    for _ in range(2):  # the second time it replaces
        write_report(evaluation(), made, folder)
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        assert files == [
            "figures/bars-a.svg",
            "figures/chart-2.svg",
            "figures/chart.svg",
            "figures/curve-a.svg",
            "report.html",
            "report.json",
        ]
    assert (folder / "report.html").read_text("utf-8") == report_page(evaluation(), made)
    assert json.loads((folder / "report.json").read_text("utf-8"))["accuracy"] == 0.9942
    for path in (folder / "figures").iterdir():
        root = ElementTree.parse(path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in path.read_text("utf-8")


def test_titles_cannot_leave_the_folder(made, tmp_path):
    write_report(evaluation("../../../x/\\ \0"), made, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "figures" / "curve-x.svg").is_file()


def test_a_folder_that_cannot_be_written_is_an_error(made, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadRequest, match="cannot be written") as refused:
        write_report(evaluation(), made, tmp_path / "file" / "out")
    assert "--report" in refused.value.hint
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    with pytest.raises(BadRequest, match=r"report\.json cannot be written"):
        write_report(evaluation(), made, tmp_path / "out")
    assert not list((tmp_path / "out").glob(".*"))


def test_without_matplotlib_nothing_is_written(made, tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    with pytest.raises(ExtraMissing):
        write_report(evaluation(), made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_columns_of_numbers_are_known():
    rows = [("a", "1,204", "0.10 %", "–", "3 of 4"), ("b", "−1.5", "12%", "", "1")]
    table = Table("t", ("name", "n", "rate", "none", "mixed"), rows)
    assert [is_numeric(table, i) for i in range(5)] == [False, True, True, True, False]
