"""`mien schema`: the shape of what `--json` writes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

# Results that are written with their provenance, by the words of the command.
_MEASURED = {
    "evaluate-verification": "mien.evaluate.verification.results:VerificationMeasures",
    "evaluate-identification": "mien.evaluate.identification.results:IdentificationMeasures",
    "evaluate-detection": "mien.evaluate.detection:DetectionMeasures",
    "evaluate-liveness": "mien.evaluate.liveness:LivenessMeasures",
    "evaluate-attributes": "mien.evaluate.attributes:AttributesMeasures",
    "evaluate-clustering": "mien.evaluate.clustering:ClusteringMeasures",
    "evaluate-quality": "mien.evaluate.quality:QualityMeasures",
    "calibrate": "mien.evaluate.calibration.showing:CalibrationMeasures",
    "calibrate-check": "mien.evaluate.calibration.drift:Drift",
    "compare": "mien.compare.comparison:Comparison",
}


def schema(
    command: Annotated[str, typer.Argument(help="Such as analyze, evaluate-verification or calibrate.")],
) -> None:
    """Print the JSON schema of a command's --json output."""
    import msgspec

    from mien.cli.console import write_json
    from mien.errors import BadRequest

    known = schemas()
    if command not in known:
        raise BadRequest(f"There is no schema of {command!r}.", hint=f"Schemas: {', '.join(known)}.")
    write_json(msgspec.json.schema(known[command]))


def schemas() -> dict[str, Any]:
    """What each command writes, by name."""
    from mien.answers import clusters, keys, people
    from mien.answers.pictures import SCHEMAS
    from mien.people.cases import Case
    from mien.people.watching import News

    return {
        **SCHEMAS,
        **people.SCHEMAS,
        **clusters.SCHEMAS,
        **keys.SCHEMAS,
        "missing-run": Case,
        "missing-watch": News,
        **{name: _with_provenance(place) for name, place in _MEASURED.items()},
    }


def _with_provenance(place: str) -> Any:  # noqa: ANN401 - a class that msgspec makes
    from importlib import import_module

    import msgspec

    from mien.evaluate.provenance import Provenance

    module, _, name = place.partition(":")
    kind = getattr(import_module(module), name)
    fields: list[Any] = [("provenance", Provenance)]
    for one in msgspec.structs.fields(kind):
        default = () if one.required else (_default(one),)
        fields.append((one.name, one.type, *default))
    options = {"omit_defaults": kind.__struct_config__.omit_defaults}
    return msgspec.defstruct(name, fields, frozen=True, kw_only=True, **options)


def _default(one: Any) -> Any:  # noqa: ANN401 - a field of msgspec and whatever it holds
    import msgspec

    if one.default is not msgspec.NODEFAULT:
        return one.default
    return msgspec.field(default_factory=one.default_factory)
