import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.models.views import Sight, View, cut_view, from_view, plan_views, turn_back, turned_size

ANY = Sight((320, 320), (640, 640), 32, 10, 3.0, 0.35)
WIDE = Sight((320, 240), (320, 240), None, 12, 3.0, 0.5)
SMALL = Sight((128, 128), (128, 128), None, 20, 3.0, 0.5)
SIGHTS = pytest.mark.parametrize("sight", [ANY, WIDE, SMALL], ids=["any", "wide", "small"])
MODES = ("fast", "normal", "tiny", "close", "thorough")
SIZES = [(1, 1), (7, 5), (640, 640), (641, 480), (1920, 1080), (3000, 4000), (9000, 3), (3, 9000)]
# What tiles are promised to do: enlarge twice, and show 16 million pixels.
MOST_ENLARGED, MOST_TILED = 2.0, 16e6
WORTH_TILING = 1.25

sizes = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
shares = st.floats(0, 1)


def tiles_of(size_wh, search, sight):
    """Tiles by level: those of one level show rectangles of one size."""
    tiles = [view for view in plan_views(size_wh, search, sight) if not view.plain and not view.turns]
    levels = {}
    for tile in tiles:
        left, top, right, bottom = tile.rect
        levels.setdefault((right - left, bottom - top), []).append(tile)
    return list(levels.values())


def side_in(view, side):
    """Pixels of the tensor that a square of the picture spans, the shorter way."""
    left, top, right, bottom = view.rect
    return side * min(view.size_wh[0] / (right - left), view.size_wh[1] / (bottom - top))


def shows(view, box, size_wh, margin):
    """Whether a box is whole in a view; the picture's own borders cut nothing."""
    low, high = np.array(view.rect).reshape(2, 2)
    near = margin * (high - low)
    low_end = low + near * (low > 0)
    high_end = high - near * (high < np.array(size_wh) - 1e-6)
    enough = (box[:2] >= low_end - 1e-6) & (box[2:] <= high_end + 1e-6)
    return enough.all()


def finest_scale(size_wh):
    return min(MOST_ENLARGED, math.sqrt(MOST_TILED / (size_wh[0] * size_wh[1])))


@SIGHTS
@pytest.mark.parametrize("search", MODES)
@pytest.mark.parametrize("size_wh", SIZES)
def test_tensors_are_as_the_network_takes_them(size_wh, search, sight):
    most_wh = sight.fast_wh if search == "fast" else sight.normal_wh
    for view in plan_views(size_wh, search, sight):
        if sight.stride is None:
            assert view.size_wh == sight.normal_wh
        else:
            for side, most in zip(view.size_wh, most_wh, strict=True):
                assert side % sight.stride == 0
                assert 0 < side <= most


@SIGHTS
@pytest.mark.parametrize("size_wh", SIZES)
def test_what_each_mode_looks_at(size_wh, sight):
    views = {search: plan_views(size_wh, search, sight) for search in MODES}
    assert len(views["fast"]) == len(views["normal"]) == 1
    assert views["tiny"][:1] == views["close"][:1] == views["normal"]
    afar = views["close"][1:]
    assert len(afar) == 1
    tiles = views["tiny"][1:]
    upright = [view for view in views["thorough"] if view.turns == 0]
    assert upright == [*views["normal"], *afar, *tiles]
    for turns in (1, 2, 3):
        turned = [view for view in views["thorough"] if view.turns == turns]
        straight = plan_views(size_wh[:: -1 if turns % 2 else 1], "close", sight)
        assert [(view.rect, view.size_wh) for view in turned] == [(v.rect, v.size_wh) for v in straight]
    assert {view.plain for view in [*views["normal"], *afar]} == {True}
    assert not any(view.plain for view in views["thorough"] if view.turns or view in tiles)


@SIGHTS
@pytest.mark.parametrize("search", ["fast", "normal"])
@pytest.mark.parametrize("size_wh", SIZES)
def test_the_whole_picture_is_as_large_as_the_tensor_allows(size_wh, search, sight):
    (view,) = plan_views(size_wh, search, sight)
    most_wh = sight.fast_wh if search == "fast" else sight.normal_wh
    scale = min(most_wh[0] / size_wh[0], most_wh[1] / size_wh[1], sight.enlarge)
    assert view.rect[:2] == (0, 0)
    for axis in (0, 1):
        # As near as whole pixels come, and never less than one.
        inner = size_wh[axis] * view.size_wh[axis] / view.rect[2 + axis]
        assert inner == pytest.approx(max(1, size_wh[axis] * scale), abs=0.5 + 1e-6)
        assert inner <= view.size_wh[axis] + 1e-6


@SIGHTS
@pytest.mark.parametrize("size_wh", [(640, 640), (641, 480), (1920, 1080), (3000, 4000)])
def test_from_afar_the_picture_is_smaller_and_amid_emptiness(size_wh, sight):
    near, afar = plan_views(size_wh, "close", sight)
    width, height = size_wh
    assert side_in(afar, 1000) == pytest.approx(side_in(near, 1000) * sight.afar, rel=0.02)
    assert afar.rect[0] <= 0
    assert afar.rect[1] <= 0
    # Equally much on both sides, but for the odd pixel.
    pixel = 1 / side_in(afar, 1)
    assert -afar.rect[0] == pytest.approx(afar.rect[2] - width, abs=1.01 * pixel)
    assert -afar.rect[1] == pytest.approx(afar.rect[3] - height, abs=1.01 * pixel)


@SIGHTS
@given(size_wh=sizes)
def test_tiles_of_every_level_cover_every_pixel(sight, size_wh):
    width, height = size_wh
    for level in tiles_of(size_wh, "tiny", sight):
        # Rows of tiles have columns in common, so that it is enough to look along both sides.
        lefts, tops = ({tile.rect[axis] for tile in level} for axis in (0, 1))
        assert len(level) == len(lefts) * len(tops)
        wide, high = (level[0].rect[2 + axis] - level[0].rect[axis] for axis in (0, 1))
        for starts, span, length in ((lefts, wide, width), (tops, high, height)):
            ordered = sorted(starts)
            assert ordered[0] <= 0
            assert ordered[-1] + span >= length
            assert all(after <= before + span for before, after in itertools.pairwise(ordered))


@SIGHTS
@given(size_wh=sizes)
def test_tiles_are_finer_than_the_whole_and_no_finer_than_allowed(sight, size_wh):
    start = min(sight.normal_wh[0] / size_wh[0], sight.normal_wh[1] / size_wh[1], sight.enlarge)
    finest = finest_scale(size_wh)
    levels = tiles_of(size_wh, "tiny", sight)
    assert bool(levels) == (finest >= WORTH_TILING * start)
    scales = [side_in(level[0], 1) for level in levels]
    assert scales == sorted(scales)
    for scale in scales:
        assert scale <= finest + 1e-9
        assert scale > start * 0.99
    if levels:
        # Tiles span whole pixels of the picture.
        left, top, right, bottom = levels[-1][0].rect
        assert scales[-1] >= finest * (1 - 1 / min(right - left, bottom - top)) - 1e-9


@pytest.mark.parametrize(("margin", "enough"), [(0.0, 0.97), (0.01, 0.9)])
@pytest.mark.parametrize("search", ["tiny", "thorough"])
@SIGHTS
@given(
    size_wh=st.tuples(st.integers(40, 5000), st.integers(40, 5000)),
    place=st.tuples(shares, shares),
    size=shares,
)
def test_every_face_is_whole_and_large_enough_in_some_view(
    search, sight, margin, enough, size_wh, place, size
):
    """From the least that the finest tiles show, mostly half of `smallest`, to the whole picture."""
    worth = 1.0 if tiles_of(size_wh, search, sight) else WORTH_TILING
    least = sight.smallest * worth / finest_scale(size_wh)
    most = min(size_wh)
    if least > most:
        return
    side = least * (most / least) ** size
    low = np.array(place) * (np.array(size_wh) - side)
    box = np.concatenate([low, low + side])
    views = [view for view in plan_views(size_wh, search, sight) if not view.turns]
    best = max(side_in(view, side) for view in views if shows(view, box, size_wh, margin))
    assert best >= sight.smallest * enough


@pytest.mark.parametrize("length", [40, 49, 64, 65])
def test_one_tile_is_enough_across_a_narrow_picture(length):
    """Also where the tensor is as narrow as what two tiles would share, 128 pixels, or narrower."""
    for level in tiles_of((length, 1500), "tiny", ANY):
        assert {tile.rect[0] for tile in level} == {0}


@SIGHTS
@given(size_wh=st.tuples(st.integers(640, 9000), st.integers(640, 9000)))
def test_work_is_bounded(sight, size_wh):
    """Each pixel may lie in several tiles of several sizes; the bound is on one look at all of them."""
    tiles = itertools.chain(*tiles_of(size_wh, "tiny", sight))
    assert sum(math.prod(tile.size_wh) for tile in tiles) <= 4 * MOST_TILED


def cropped(rgb, rect, turns):
    """The part of a turned picture, pixel by pixel."""
    for _ in range(turns):
        rgb = rgb.transpose(1, 0, 2)[::-1]  # counter-clockwise: what was at the right is on top
    left, top, right, bottom = rect
    found = np.zeros((bottom - top, right - left, 3), np.uint8)
    for y in range(max(top, 0), min(bottom, len(rgb))):
        for x in range(max(left, 0), min(right, rgb.shape[1])):
            found[y - top, x - left] = rgb[y, x]
    return found


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "rect", [(0, 0, 10, 7), (-3, -4, 20, 30), (2, 1, 6, 5), (3, -2, 9, 4), (5, 3, 25, 4)]
)
def test_a_view_of_the_same_scale_is_a_crop(rng, rect, turns):
    rgb = rng.integers(1, 256, (9, 13, 3), np.uint8)
    size_wh = (rect[2] - rect[0], rect[3] - rect[1])
    found = cut_view(rgb, View(rect, turns, size_wh))
    np.testing.assert_array_equal(found, cropped(rgb, rect, turns))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("rect", "size_wh"),
    [
        ((0, 0, 200, 160), (100, 80)),
        ((0, 0, 120, 160), (240, 320)),
        ((40, 20, 100, 50), (120, 60)),
        ((-60, -40, 240, 200), (150, 120)),
        ((50, -30, 290, 130), (96, 64)),
    ],
)
def test_a_ramp_stays_a_ramp_at_other_scales(rect, size_wh, turns):
    """Each pixel of the tensor shows what is at its centre, in a picture whose colours say where that is."""
    width, height = 200, 180
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rgb = np.stack([x + 20, y + 20, np.full_like(x, 255)], 2).astype(np.uint8)
    view = View(rect, turns, size_wh)
    found = cut_view(rgb, view).astype(float)
    centres = np.stack(np.meshgrid(np.arange(size_wh[0]) + 0.5, np.arange(size_wh[1]) + 0.5), 2)
    upright = turn_back(from_view(centres, view), turns, (width, height))
    pixel = (rect[2] - rect[0]) / size_wh[0]
    inside = ((upright > 0) & (upright < (width, height))).all(2)
    deep = ((upright > 2 * pixel) & (upright < np.array([width, height]) - 2 * pixel)).all(2)
    np.testing.assert_array_equal(found[~inside], 0)
    np.testing.assert_array_equal(found[inside][:, 2], 255)
    borders = 2 * max(1, pixel)
    shown = deep & (np.abs(centres / size_wh - 0.5) < 0.5 - borders / min(size_wh)).all(2)
    assert shown.any()
    np.testing.assert_allclose(found[shown][:, :2], upright[shown] - 0.5 + 20, atol=1.0)


@SIGHTS
@pytest.mark.parametrize("size_wh", [(1, 1), (7, 5), (1, 700), (700, 1), (333, 250)])
def test_every_view_can_be_cut(size_wh, sight):
    white = np.full((size_wh[1], size_wh[0], 3), 255, np.uint8)
    for view in plan_views(size_wh, "thorough", sight):
        pixels = cut_view(white, view)
        assert pixels.shape == (view.size_wh[1], view.size_wh[0], 3)
        assert pixels.dtype == np.uint8
        assert set(np.unique(pixels)) <= {0, 255}
        assert pixels.any()


@pytest.mark.parametrize("search", ["fast", "close", "thorough"])
def test_a_spot_is_found_where_it_is(search):
    """From its place in the tensor back to the upright picture, for every view that shows it whole."""
    size_wh = (1100, 900)
    rgb = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    rgb[300:340, 700:740] = 255
    seen = 0
    for view in plan_views(size_wh, search, ANY):
        bright = cut_view(rgb, view)[..., 0] / 255.0
        if bright[[0, -1]].any() or bright[:, [0, -1]].any() or not bright.any():
            continue
        y, x = np.mgrid[: len(bright), : bright.shape[1]] + 0.5
        middle = np.array([(x * bright).sum(), (y * bright).sum()]) / bright.sum()
        back = turn_back(from_view(middle, view), view.turns, size_wh)
        pixel = (view.rect[2] - view.rect[0]) / view.size_wh[0]
        np.testing.assert_allclose(back, (720, 320), atol=0.1 * pixel)
        seen += 1
    assert seen >= {"fast": 1, "close": 2, "thorough": 9}[search]


@given(
    size_wh=sizes,
    turns=st.integers(0, 3),
    xy=st.tuples(st.floats(-100, 6000), st.floats(-100, 6000)).map(np.array),
)
def test_as_many_turns_as_make_four_lead_back(size_wh, turns, xy):
    there = turn_back(xy, turns, size_wh)
    back = turn_back(there, (4 - turns) % 4, turned_size(size_wh, turns))
    np.testing.assert_allclose(back, xy, atol=1e-6)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_turning_back_agrees_with_numpy(turns):
    numbers = np.arange(5 * 8).reshape(5, 8)
    turned = np.rot90(numbers, turns)
    assert turned_size((8, 5), turns) == turned.shape[::-1]
    for (row, column), number in np.ndenumerate(turned):
        x, y = turn_back(np.array([column + 0.5, row + 0.5]), turns, (8, 5)) - 0.5
        assert numbers[int(y), int(x)] == number


@given(
    rect=st.tuples(*[st.floats(-500, 500)] * 2, *[st.floats(501, 5000)] * 2), share=st.tuples(shares, shares)
)
def test_shares_of_the_tensor_are_shares_of_its_rectangle(rect, share):
    view = View(rect, 0, (640, 480))
    found = from_view(np.array([[share]]) * (640, 480), view)
    low, high = np.array(rect[:2]), np.array(rect[2:])
    assert found.shape == (1, 1, 2)
    np.testing.assert_allclose(found[0, 0], low + (high - low) * share, atol=1e-6)
