import json
from pathlib import Path

import numpy as np
import pytest

from mien.core.analysis import Failure
from mien.errors import BadRequest
from mien.media.images import open_image
from mien.tour.photos import Album
from mien.tour.stopwatch import Stopwatch
from mien.tour.tour import DECODE, DRAW, OPEN, run_tour, shown_name

BLUE, ORANGE = (0, 114, 178), (230, 159, 0)


def painted(probe, colour):
    """How many pixels of the annotated picture have exactly this colour and had not before."""
    before, after = probe.found.image.rgb, probe.annotated.rgb
    return int(((before != after).any(axis=2) & (after == colour).all(axis=2)).sum())


def test_everybody_is_recognised_and_nobody_else(demo, photos):
    tour, _, _ = demo
    truth = json.loads((photos / "truth.json").read_text("utf-8"))
    assert {probe.photo.name: list(probe.names()) for probe in tour.probes} == truth


def test_everybody_is_enrolled(demo):
    tour, _, _ = demo
    assert {person.name: len(person.photos) for person in tour.people} == {
        "Barack Obama": 2,
        "Eileen Collins": 1,
        "Grace Hopper": 1,
    }
    assert not any(person.failures for person in tour.people)


def test_pairs_are_of_one_person_of_two_and_of_probes_and_decided_rightly(demo, photos):
    tour, _, _ = demo
    for pair in tour.pairs:
        owners = {Path(image.source).parent.name for image in (pair.a, pair.b)}
        if pair.expected is not None:
            assert pair.expected == (len(owners) == 1)
            assert pair.verification.verified == pair.expected
    assert [pair.expected for pair in tour.pairs] == [True, False, False, False, None, None, None]
    probes = {
        Path(pair.a.source).name: pair.verification.verified for pair in tour.pairs if pair.expected is None
    }
    assert probes == {"blue-room.jpg": False, "half-a-face.jpg": True, "portrait-2012.jpg": True}


def test_the_known_are_marked_in_blue_and_the_unknown_in_orange(demo):
    tour, _, _ = demo
    marks = {
        probe.photo.name: (painted(probe, BLUE) > 500, painted(probe, ORANGE) > 500) for probe in tour.probes
    }
    assert marks == {
        "blue-room.jpg": (False, True),
        "half-a-face.jpg": (True, False),
        "portrait-2012.jpg": (True, False),
        "rocket.jpg": (False, False),
    }


def test_annotated_pictures_are_saved(demo):
    tour, _, out = demo
    assert {probe.saved for probe in tour.probes} == set((out / "pictures").iterdir())
    for probe in tour.probes:
        saved = open_image(probe.saved).rgb.astype(int)
        assert np.abs(saved - probe.annotated.rgb).mean() < 4  # what JPEG costs


def test_every_stage_is_on_the_clock(demo):
    tour, watch, _ = demo
    pictures = {timing.stage: timing.pictures for timing in watch.timings()}
    # Four enrolled and four looked at are decoded once; the pairs are compared from memory.
    looks = 4 + 4 + 2 * len(tour.pairs)
    networks = {pack.name: looks for pack in tour.packs}
    assert len(networks) == 3
    assert pictures == {OPEN: 0, DECODE: 8, DRAW: 4, **networks}
    assert 0 < sum(timing.time_s for timing in watch.timings()) <= tour.time_s


def test_files_that_cannot_be_used_are_reported_beside_the_others(odd):
    tour, _, out = odd
    by_name = {probe.photo.name: probe for probe in tour.probes}
    assert by_name["again.jpg"].names() == ("<b>x<",)
    broken = by_name["broken.png"]
    assert isinstance(broken.found, Failure)
    assert broken.found.error.code == "unreadable_image"
    assert (broken.annotated, broken.saved, broken.names(), broken.candidates()) == (None, None, (), ())
    assert [path.name for path in (out / "pictures").iterdir()] == ["again.jpg"]
    nobody = {person.name: person for person in tour.people}["Nobody & Co"]
    assert nobody.photos == ()
    assert [failure.error.code for failure in nobody.failures] == ["no_face"]


def test_originals_are_never_replaced(photos, kit_with_watch, tmp_path):
    kit, watch = kit_with_watch
    original = tmp_path / "rocket.png"
    original.write_bytes((photos / "unknown" / "rocket.jpg").read_bytes())
    before = original.read_bytes()
    tour = run_tour(kit, Album(tmp_path, {}, (original,)), tmp_path, watch)
    assert original.read_bytes() == before
    assert tour.probes[0].saved == tmp_path / "pictures" / "rocket.png.jpg"


def test_a_folder_that_cannot_be_made_is_an_error_with_a_hint(photos, kit_with_watch, tmp_path):
    kit, watch = kit_with_watch
    (tmp_path / "file").touch()
    with pytest.raises(BadRequest, match="cannot be made") as caught:
        run_tour(kit, Album(photos, {}, (photos / "unknown" / "rocket.jpg",)), tmp_path / "file", watch)
    assert "--out" in caught.value.hint


def test_names_leave_out_what_all_share(photos):
    album = Album(photos, {}, ())
    assert shown_name(album, str(photos / "known" / "Ada" / "1.jpg")) == "Ada/1.jpg"
    assert shown_name(album, photos / "unknown" / "z.jpg") == "z.jpg"
    assert shown_name(album, "/elsewhere/z.jpg") == "/elsewhere/z.jpg"


@pytest.fixture
def kit_with_watch(mien_home):
    from mien import Mien
    from mien.settings import load_settings

    watch = Stopwatch()
    return Mien(load_settings(environ={}, home=mien_home, store="memory"), observe=watch), watch
