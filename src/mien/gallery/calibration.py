"""What distances mean: how often strangers come so near, and how probable one person is there.

Measured by `mien calibrate` on somebody's own photographs, kept as a small JSON file, and good for one
embedding space only. It holds no faces, no names and no embeddings: only rates over distances.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import CalibrationInvalid, RateUnsupported
from mien.ops.vectors import Metric

FORMAT = 1

Floats = NDArray[np.floating[Any]]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Some = Annotated[list[float], msgspec.Meta(min_length=2, max_length=4096)]


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measured share and its 95 % interval, from people drawn with replacement."""

    value: Share
    low: Share
    high: Share


class Behind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the calibration was measured on."""

    people: int
    photographs: int
    without_face: int
    genuine: int
    impostor: int

    @property
    def without_share(self) -> float:
        """Share of the photographs without a face."""
        return self.without_face / max(self.photographs, 1)


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A calibration of one embedding space.

    Attributes:
        format: Version of this format.
        space: Embedding space whose distances these are.
        metric: What distance means there.
        made: Date, ISO 8601.
        requested_fmr: The false-match rate that the threshold was chosen for.
        threshold: Largest distance of one person.
        fmr: False-match rate at the threshold.
        fnmr: False non-match rate at the threshold.
        distances: `(k,)` rising distances.
        rates: `(k,)` the false-match rate at each, rising; the first is the smallest that the data supports.
        evidence_distances: `(m,)` rising distances.
        evidence: `(m,)` log10 of the likelihood ratio at each, falling: how many times likelier such a
            distance is for one person than for two. Constant beyond its ends, where there is no data.
        method: How the likelihood ratio was fitted: `logistic` or `isotonic`.
        cllr: Cost of the log likelihood ratio on people it was not fitted to; 0 is perfect, 1 knows nothing
            (N. Brümmer, J. du Preez: Computer Speech and Language 20, 2006).
        behind: What it was measured on.
        detector: Pack that found the faces; another may cut them out otherwise.
        digest: SHA-256 of everything else, by which damage and edits show.
    """

    format: int = FORMAT
    space: str
    metric: Metric
    made: str
    requested_fmr: Share
    threshold: float
    fmr: Interval
    fnmr: Interval
    distances: _Some
    rates: Annotated[list[Share], msgspec.Meta(min_length=2, max_length=4096)]
    evidence_distances: _Some
    evidence: _Some
    method: str
    cllr: float
    behind: Behind
    detector: str
    digest: str = ""

    @property
    def least_fmr(self) -> float:
        """The smallest false-match rate that the data behind it supports."""
        return self.rates[0]

    def threshold_at(self, fmr: float) -> float:
        """Largest distance of one person at a false-match rate.

        Raises:
            RateUnsupported: The data behind the calibration cannot tell, or it is no rate.
        """
        if not self.least_fmr * (1 - 1e-9) <= fmr <= self.rates[-1]:
            raise RateUnsupported(
                f"This calibration knows false-match rates from {self.least_fmr:.2g} to "
                f"{self.rates[-1]:.2g}, not {fmr:g}."
            )
        if fmr == self.requested_fmr:
            return self.threshold
        return float(np.interp(np.log(fmr), np.log(self.rates), self.distances))

    def log10_likelihood_ratio(self, distance: Floats) -> Floats:
        """Evidence for one person (above 0) or for two (below), for distances of any shape."""
        return np.interp(distance, self.evidence_distances, self.evidence)

    def probability(self, distance: Floats) -> Floats:
        """Probability of one person, if before looking one and two were equally probable; any shape."""
        probability: Floats = 1 / (1 + 10.0 ** -self.log10_likelihood_ratio(distance))
        return probability


def write_calibration(calibration: Calibration) -> bytes:
    """The content of the file; its digest is computed here."""
    # Once through JSON, in which a whole number may stand for a float.
    plain = msgspec.json.decode(msgspec.json.encode(calibration), type=Calibration)
    signed = msgspec.structs.replace(plain, digest=_digest(plain))
    return msgspec.json.format(msgspec.json.encode(signed), indent=1) + b"\n"


def read_calibration(content: bytes, name: str) -> Calibration:
    """Read the content of a file.

    Args:
        content: Its bytes.
        name: What messages call it.

    Raises:
        CalibrationInvalid: It is no calibration, or not as it was written.
    """
    try:
        found = msgspec.json.decode(content, type=Calibration)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CalibrationInvalid(f"{name} is no calibration: {error}.") from error
    if found.format != FORMAT:
        raise CalibrationInvalid(f"{name} is of format {found.format}; this version reads {FORMAT}.")
    if found.digest != _digest(found):
        raise CalibrationInvalid(f"{name} is not as it was written: its digest does not fit.")
    curves = ((found.distances, found.rates, 1), (found.evidence_distances, found.evidence, -1))
    for places, values, direction in curves:
        if len(places) != len(values) or not _rising(places) or (np.diff(values) * direction < 0).any():
            raise CalibrationInvalid(f"{name} holds a curve that is none.")
    if found.rates[0] <= 0:
        raise CalibrationInvalid(f"{name} claims to know a false-match rate of zero.")
    return found


def _digest(calibration: Calibration) -> str:
    blank = msgspec.structs.replace(calibration, digest="")
    return hashlib.sha256(msgspec.json.encode(blank, order="sorted")).hexdigest()


def _rising(values: list[float]) -> bool:
    return bool(np.isfinite(values).all() and (np.diff(values) > 0).all())
