"""What distances mean here, measured with people who are enrolled."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.responses import Response

from mien.answers.calibration import CalibratedRow, CalibrationRow, decision_row
from mien.errors import BadRequest
from mien.evaluate.calibration.galleries import calibrate_gallery
from mien.evaluate.calibration.showing import show_calibration
from mien.gallery.rule import save_calibration
from mien.server.answers import json_answer, nothing
from mien.server.asking import Ask, Asking
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["calibration"])


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of pairs of strangers that may pass."""

    fmr: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 1e-3


@door.at("GET", "/calibration", Plan("admin", CalibrationRow))
async def calibration(ask: Asking) -> Response:
    """Tell by which distance faces are told apart, and what is known about distances."""
    rule = await ask.do(ask.service.kit.rule)
    return json_answer(CalibrationRow(decision_row(rule), rule.calibration))


@door.at("POST", "/collections/{collection}/calibrate", Plan("admin", CalibratedRow, body=Rate))
async def calibrate(collection: str, ask: Asking) -> Response:
    """Measure what distances mean by the people of a collection, and decide by that from now on."""
    rate = await ask.body(Rate)
    return json_answer(await ask.do(lambda: _calibrated(ask, collection, rate.fmr)))


@door.at("DELETE", "/calibration", Plan("admin", None, 204))
async def drop_calibration(ask: Asking) -> Response:
    """Delete the calibration that is kept; the manifest of the embedder decides again."""
    await ask.do(lambda: ask.service.kit.calibration_file().unlink(missing_ok=True))
    return nothing()


def _calibrated(ask: Ask, collection: str, fmr: float) -> CalibratedRow:
    kit = ask.service.kit
    if kit.settings.calibration is not None:
        raise BadRequest("Settings name a calibration; another would not be used.")
    fitted = calibrate_gallery(ask.service.gallery(collection), fmr)
    save_calibration(fitted.calibration, kit.calibration_file())
    report = msgspec.to_builtins(show_calibration(fitted).measures)
    return CalibratedRow(decision_row(kit.rule()), kit.rule().calibration, report=report)
