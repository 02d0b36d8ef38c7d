"""About what distances mean."""

from __future__ import annotations

from mien.answers.calibration import CalibratedRow, CalibrationRow
from mien.client.call import Call, json, nothing, path, row


def get() -> Call[CalibrationRow]:
    """By which distance two faces count as one person, and who says so. Scope `admin`."""
    return Call("GET", path("calibration"), row(CalibrationRow))


def measure(fmr: float = 1e-3, *, collection: str = "default") -> Call[CalibratedRow]:
    """Calibrate by the people of a collection. Scope `admin`.

    Args:
        fmr: False-match rate to decide at.
        collection: Whose faces are compared.

    Raises:
        RateUnsupported: There are too few people for such a rate.
    """
    where = path("collections", collection, "calibrate")
    return Call("POST", where, row(CalibratedRow), body=json(fmr=fmr), repeat="never")


def forget() -> Call[None]:
    """Decide as the embedder's manifest says again. Scope `admin`."""
    return Call("DELETE", path("calibration"), nothing)
