"""Error versus discard: what refusing the worst photographs does to recognition.

P. Grother and E. Tabassi, Performance of Biometric Quality Measures, PAMI 29(4), 2007; ISO/IEC 29794-1.
Comparisons of one person with himself are refused from the lowest quality on; a measure of quality is good
if those that would fail go first, so that the false-non-match rate (FNMR) of what remains falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest

Floats = NDArray[np.floating[Any]]

# Nobody refuses more photographs than this; the area under the curve ends here (T. Schlett et al.:
# Considerations on the Evaluation of Biometric Quality Assessment Algorithms, T-BIOM 2023).
MOST_DISCARDED = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Discard:
    """FNMR of what remains when a share of the comparisons is refused.

    Attributes:
        share: `(k,)` refused, from 0 to the most.
        fnmr: `(k,)` as quality has it. Comparisons of equal quality are refused in random order, on average.
        ideal: `(k,)` if those that fail were refused first.
        area: Under `fnmr`, divided by the most: the mean FNMR.
        area_ideal: The same under `ideal`.
        area_chance: The same if quality said nothing: FNMR stays as it is.
    """

    share: Floats
    fnmr: Floats
    ideal: Floats
    area: float
    area_ideal: float
    area_chance: float

    @property
    def relative_area(self) -> float | None:
        """0 is ideal, 1 is chance, above is worse than chance; None where nothing fails."""
        room = self.area_chance - self.area_ideal
        return (self.area - self.area_ideal) / room if room > 0 else None


def error_versus_discard(
    quality: Floats, distance: Floats, threshold: float, *, most: float = MOST_DISCARDED
) -> Discard:
    """Refuse comparisons of one person from the lowest quality on.

    Args:
        quality: `(n,)` of each comparison: that of the worse of its two photographs; higher is better.
        distance: `(n,)`; lower is more alike.
        threshold: Largest distance that is taken for one person.
        most: Largest share to refuse, above 0 and below 1.

    Raises:
        BadRequest: There is no comparison, lengths differ, a number is NaN, or `most` is out of range.
    """
    rank, apart = np.asarray(quality, np.float64), np.asarray(distance, np.float64)
    if rank.shape != apart.shape or rank.ndim != 1 or not len(rank):
        raise BadRequest(f"{rank.shape} qualities and {apart.shape} distances do not fit, or there are none.")
    if np.isnan(rank).any() or np.isnan(apart).any() or np.isnan(threshold):
        raise BadRequest("A quality, distance or threshold is not a number.")
    if not 0 < most < 1:
        raise BadRequest(f"The share to refuse lies between 0 and 1, not at {most}.")
    wrong = apart > threshold
    n, errors = len(wrong), int(wrong.sum())
    # Refused so far and errors among them, wherever quality changes; between, errors go evenly.
    _, group = np.unique(rank, return_inverse=True)
    refused_at = np.concatenate([[0], np.cumsum(np.bincount(group))])
    errors_at = np.concatenate([[0], np.cumsum(np.bincount(group, weights=wrong))])
    refused = np.append(np.arange(int(most * n) + 1), most * n)
    left = n - refused
    fnmr = (errors - np.interp(refused, refused_at, errors_at)) / left
    ideal = np.clip(errors - refused, 0, None) / left
    share = refused / n
    return Discard(
        share=share,
        fnmr=fnmr,
        ideal=ideal,
        area=_mean(fnmr, share),
        area_ideal=_mean(ideal, share),
        area_chance=errors / n,
    )


def _mean(values: Floats, at: Floats) -> float:
    return float((np.diff(at) * (values[1:] + values[:-1]) / 2).sum() / at[-1])
