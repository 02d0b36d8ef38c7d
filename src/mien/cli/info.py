"""`mien info`: what runs where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mien.cli.options import Detector, Device, Embedder, Json, Threads, opened_kit

if TYPE_CHECKING:
    from mien.kit import Mien


def info(
    as_json: Json = False,
    detector: Detector = None,
    embedder: Embedder = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Show versions, folders, settings, and which pack does what on which device; changes nothing."""
    from rich.table import Table
    from rich.text import Text

    from mien.cli.console import results, write_json

    with opened_kit(detector=detector, embedder=embedder, device=device, threads=threads) as kit:
        facts = _facts(kit)
    if as_json:
        write_json(facts)
        return
    table = Table("", "", box=None, show_header=False)
    for name, value in facts.items():
        lines = "\n".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name, Text(lines))
    results().print(table)


def _facts(kit: Mien) -> dict[str, Any]:
    import platform
    from importlib.metadata import version

    import msgspec

    from mien.core.columns import BY_NAME
    from mien.runtime.session import available_cores, available_devices, runtime_version

    for column in ("box", "corners", "embedding"):
        name = kit.manifest_for(column).name
        if kit.packs.state(name) == "installed":  # looking must not install anything
            kit.stage(name)
    columns: dict[str, str] = {}
    for column in BY_NAME:
        given_by = kit.manifest_for("box" if column == "score" else column)
        state = kit.packs.state(given_by.name)
        columns[column] = given_by.name if state == "installed" else f"{given_by.name} ({state})"
    points = kit.manifest_for("box").gives
    columns["points"] = columns["box"] if "points" in points else columns["points"]
    return {
        "mien": version("mien"),
        "python": platform.python_version(),
        "onnxruntime": runtime_version(),
        "machine": f"{platform.system()} {platform.machine()}, {available_cores()} cores",
        "devices": ", ".join(available_devices()),
        "settings": msgspec.to_builtins(kit.settings.shown(), enc_hook=str),
        "columns": columns,
        "decision": _decision(kit),
        "packs": {pack.manifest.name: kit.packs.state(pack.manifest.name) for pack in kit.packs.installed()},
        "networks": {
            f"{network.path.parent.name}/{network.path.name}": ", ".join(network.providers)
            for network in kit.runtime.opened()
        },
    }


def _decision(kit: Mien) -> str:
    """Where the threshold is and who says so; looking must not install an embedder."""
    from mien.errors import MienError

    if kit.packs.state(kit.manifest_for("embedding").name) != "installed":
        return "not known before an embedder is installed"
    try:
        rule = kit.rule()
    except MienError as error:  # this is the command by which people find out why
        return f"cannot be made: {error.message} {error.hint}".strip()
    by = (
        f"calibration {kit.calibration_in_use()}"
        if rule.calibration
        else "manifest (mien calibrate measures your own)"
    )
    rate = "not measured" if rule.fmr is None else f"{rule.fmr:g}"
    return f"{rule.metric} distance up to {rule.distance:.4f}, false-match rate {rate}, by {by}"
