import re

import pytest

from mien.cli.main import run


@pytest.fixture(scope="module")
def ran(mien_home, tmp_path_factory):
    """The folder and the words on stdout of one `mien demo`."""
    import contextlib
    import io

    out, words = tmp_path_factory.mktemp("demo") / "new", io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(words):
        patch.setenv("MIEN_HOME", str(mien_home))
        patch.setenv("COLUMNS", "200")
        assert run(["demo", "--out", str(out)]) == 0
    return out, words.getvalue()


def cells(words, first, second=None):
    """The cells of the first table row that starts so."""
    rows = (re.split(r"\s{2,}", line.strip()) for line in words.splitlines())
    return next(row for row in rows if row[0] == first and second in (None, *row[1:2]))


def test_it_says_who_is_in_each_picture(ran):
    _, words = ran
    assert "Known from 4 photographs: Barack Obama, Eileen Collins, Grace Hopper" in words
    assert cells(words, "portrait-2012.jpg")[1:3] == ["Barack Obama", "Barack Obama"]
    assert float(cells(words, "portrait-2012.jpg")[3]) < 0.6
    assert cells(words, "blue-room.jpg")[1] == "unknown"
    assert float(cells(words, "blue-room.jpg")[3]) > 0.6
    assert cells(words, "rocket.jpg")[1] == "no face"


def test_it_says_which_pairs_are_one_person(ran):
    _, words = ran
    assert "Yes if the euclidean distance is 0.6 or less." in words
    obama, collins = "Barack Obama/blue-room-2010.jpg", "Eileen Collins/portrait.jpg"
    assert cells(words, obama, "Barack Obama/congress-2009.jpg")[2] == "same person"
    assert cells(words, obama, collins)[2] == "different people"


def test_it_says_what_each_stage_took(ran):
    _, words = ran
    for stage in ("decode", "mtcnn", "dlib-5", "dlib-resnet29", "draw and save", "write the report"):
        assert cells(words, stage)[-1].endswith("%")


def test_the_report_and_the_pictures_are_where_it_says(ran):
    out, words = ran
    assert f"The report: {out / 'report.html'}" in words
    assert sorted(path.name for path in out.iterdir()) == ["pictures", "report.html"]
    assert "2 faces named, 1 stranger left unnamed." in (out / "report.html").read_text("utf-8")
    assert len(list((out / "pictures").iterdir())) == 4


def test_first_use_counts_the_conversion_as_a_stage(starter_files, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MIEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["demo", "--out", str(tmp_path / "out")]) == 0
    assert "convert packs (first use), open networks" in capsys.readouterr().out
