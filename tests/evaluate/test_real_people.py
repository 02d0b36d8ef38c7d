"""Calibration on photographs of real people: half of them set the threshold, the other half judge it."""

import dataclasses

import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from mien import Image, Mien, load_settings, open_image
from mien.evaluate.calibration.drift import check_drift
from mien.evaluate.calibration.fitting import calibrate
from mien.evaluate.looking import COLUMNS, look
from mien.evaluate.measures.comparisons import everybody
from mien.evaluate.measures.intervals import Draws, clustered_rate

PEOPLE = 1400
TWICE = 300


@pytest.fixture(scope="module")
def kit(modern_home):
    return Mien(
        load_settings(
            environ={}, home=modern_home, store="memory", detector="yunet", embedder="mobilefacenet"
        )
    )


@pytest.fixture(scope="module")
def photos(shared):
    """One photograph of each of many people, and two of some, in an order that tells nothing."""
    folders = sorted(shared("data/lfw/images").iterdir())
    two = [folder for folder in folders if len(list(folder.iterdir())) > 1][:TWICE]
    one = [folder for folder in folders if folder not in set(two)][: PEOPLE - TWICE]
    order = np.random.default_rng(0).permutation(PEOPLE)
    people = [[*two, *one][i] for i in order]
    return [sorted(person.iterdir())[: 2 if person in set(two) else 1] for person in people]


def compared(kit, people, change=lambda image: image):
    sources = [change(open_image(path)) for person in people for path in person]
    looked = look(kit.analyze, sources, COLUMNS)
    person = np.repeat(np.arange(len(people)), [len(paths) for paths in people])
    return looked, everybody(looked.column("embedding"), person, kit.metric())


@pytest.fixture(scope="module")
def halves(kit, photos):
    return compared(kit, photos[::2]), compared(kit, photos[1::2])


def strangers(comparisons, threshold):
    """The false-match rate at a threshold, with its interval."""
    chosen = ~comparisons.genuine & comparisons.made
    a, b = (comparisons.person[side[chosen]] for side in (comparisons.a, comparisons.b))
    return clustered_rate(comparisons.distance[chosen] <= threshold, a, b, Draws(comparisons.people))


@pytest.mark.slow
@pytest.mark.parametrize("fmr", [1e-2, 1e-3])
def test_the_threshold_of_one_half_holds_for_the_other(kit, halves, fmr):
    (looked, learned), (other, judged) = halves
    fitted = calibrate(learned, space=looked.space, metric=kit.metric(), fmr=fmr, acquired=looked.found)
    rate = strangers(judged, fitted.calibration.threshold)
    assert rate.low <= fmr <= rate.high
    assert check_drift(fitted.calibration, judged, other.found).verdict == "holds"
    # A hundred and fifty pairs of one person tell no more.
    assert fitted.reliability.error < 0.04


def far_and_soft(image):
    """As from a cheap camera at night."""
    picture = PIL.Image.fromarray(image.rgb).filter(PIL.ImageFilter.GaussianBlur(4))
    dark = (np.asarray(picture) * 0.35).astype(np.uint8)
    return dataclasses.replace(Image.from_rgb(dark), source=image.source)


@pytest.mark.slow
def test_other_photographs_are_reported_as_drift(kit, photos, halves):
    looked, learned = halves[0]
    fitted = calibrate(learned, space=looked.space, metric=kit.metric(), fmr=1e-2, acquired=looked.found)
    seen, shifted = compared(kit, photos[1::2], far_and_soft)
    found = check_drift(fitted.calibration, shifted, seen.found)
    assert found.verdict == "drifted"
    assert found.reasons
