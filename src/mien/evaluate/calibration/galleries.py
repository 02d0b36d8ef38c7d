"""Calibrate by the people of a gallery, whose names are the labels."""

from __future__ import annotations

import numpy as np

from mien.evaluate.calibration.fitting import Fitted, calibrate
from mien.evaluate.measures.comparisons import Comparisons, everybody
from mien.gallery.gallery import Gallery


def comparisons_of(gallery: Gallery) -> Comparisons:
    """Each enrolled face compared with every other."""
    known = gallery.templates()
    person = np.unique(known.person, return_inverse=True)[1].astype(np.int32)
    return everybody(known.vectors, person, gallery.rule.metric)


def calibrate_gallery(gallery: Gallery, fmr: float) -> Fitted:
    """Fit a calibration to everybody who is enrolled, each face compared with every other.

    Only as good as the names are: somebody enrolled under two names counts as a stranger who looks the same.

    Args:
        gallery: Of enough people, some of them with several faces.
        fmr: The false-match rate asked for.

    Raises:
        BadRequest: There are too few people, or too few faces of each.
        RateUnsupported: Too few people for the rate asked for.
        ExtraMissing: scikit-learn is not installed.
    """
    compared = comparisons_of(gallery)
    found = np.ones(len(compared.person), bool)
    return calibrate(compared, space=gallery.rule.space, metric=gallery.rule.metric, fmr=fmr, acquired=found)
