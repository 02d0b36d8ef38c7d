import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from htmlpages import Reader
from mien.errors import BadRequest
from mien.tour.report import write_report


@pytest.fixture
def read(demo, page):
    tour, watch, _ = demo
    return Reader(page(tour, watch, "mien demo --out 'a b'"))


def test_every_element_is_closed(read):
    assert (read.wrong, read.open) == ([], [])
    assert read.tags[:2] == ["html", "head"]


def test_the_page_asks_nobody_for_anything(demo, page, read):
    tour, watch, _ = demo
    assert read.fetched
    assert {value.partition(",")[0] for value in read.fetched} == {"data:image/jpeg;base64"}
    assert not {"script", "link", "iframe", "object", "base"} & set(read.tags)
    styles = re.findall(r"<style>.*?</style>", page(tour, watch), re.DOTALL)
    assert len(styles) == 1
    assert not re.search(r"url\(|@import|expression|https?:", styles[0])


def test_it_says_who_was_seen_and_by_what_measure(demo, read):
    tour, _, _ = demo
    assert "2 faces named, 1 stranger left unnamed." in read.words
    assert "3 people from 4 photographs were made known, then looked for in 4 others." in read.words
    for probe in tour.probes:
        assert probe.photo.name in read.words
        for match in probe.candidates():
            assert f"distance {match.distance:.3f}, similarity {match.similarity:.3f}" in read.words
    assert "threshold 0.6" in read.words
    assert f"{tour.rule.fmr:.2%}: of 10,000 pairs" in read.words
    assert "pairs of known answer decided rightly 4 of 4" in read.words


def test_it_says_what_it_ran_on(demo, read):
    tour, watch, _ = demo
    for text in ("mien demo --out 'a b'", "1.2.3", "1.20, on cpu", "CPython 3.11", "Linux x86_64, 2 cores"):
        assert text in read.words
    for pack in tour.packs:
        assert f"{pack.licence.name} ({pack.licence.id})" in read.words
    for timing in watch.timings():
        assert timing.stage in read.words


def test_names_and_messages_are_escaped(odd, page):
    tour, watch, _ = odd
    text = page(tour, watch, "mien <script>")
    read = Reader(text)
    assert (read.wrong, read.open) == ([], [])
    assert "script" not in read.tags
    assert "b" not in read.tags
    assert "<b>x<" in read.words
    assert "mien <script>" in read.words
    assert '"><i>.jpg' not in text
    assert "&lt;b&gt;x&lt;" in text


def test_pictures_that_fail_and_people_without_a_face_are_named(odd, page):
    tour, watch, _ = odd
    words = Reader(page(tour, watch)).words
    assert "could not be read" in words
    assert "broken.png" in words
    assert "Not enrolled." in words
    assert "1 face named, 0 strangers left unnamed." in words


def test_an_empty_tour_says_so(demo, page):
    tour, watch, _ = demo
    bare = replace(tour, people=(), probes=(), pairs=(), rule=replace(tour.rule, fmr=None))
    read = Reader(page(bare, watch))
    assert (read.wrong, read.open) == ([], [])
    for text in ("No face was found.", "No pictures to look at", "Nobody could be compared", "not measured"):
        assert text in read.words


def test_the_file_is_the_page(demo, page, machine, tmp_path):
    tour, watch, _ = demo
    path = tmp_path / "new" / "report.html"
    made = datetime(2026, 5, 21, 12, 30, tzinfo=UTC)
    write_report(tour, watch.timings(), machine, "mien demo", made, path)
    assert path.read_text("utf-8") == page(tour, watch)
    assert "21 May 2026 at 12:30" in path.read_text("utf-8")


def test_a_place_that_cannot_be_written_is_an_error(demo, machine, tmp_path):
    tour, watch, _ = demo
    with pytest.raises(BadRequest, match="cannot be written"):
        write_report(tour, watch.timings(), machine, "mien demo", datetime.now(UTC), tmp_path)
