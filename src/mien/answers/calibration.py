"""What distances mean here, and who says so."""

from __future__ import annotations

from typing import Any

import msgspec

from mien.answers.service import DecisionRow
from mien.gallery.calibration import Calibration
from mien.gallery.rule import DecisionRule


class CalibrationRow(msgspec.Struct, frozen=True):
    """The rule in use, and the calibration behind it, if there is one."""

    decision: DecisionRow
    calibration: Calibration | None


class CalibratedRow(CalibrationRow, frozen=True, kw_only=True):
    """The rule from now on, and what was measured."""

    report: dict[str, Any]


def decision_row(rule: DecisionRule) -> DecisionRow:
    """Translate a rule."""
    return DecisionRow(rule.space, rule.metric, rule.distance, rule.fmr, rule.review_distance, rule.source)
