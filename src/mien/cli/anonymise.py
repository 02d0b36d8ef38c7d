"""`mien anonymise`: hide the faces in pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import Detector, Device, Photos, Search, Threads, opened_kit


def anonymise(
    photos: Photos,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Write the pictures there.")],
    way: Annotated[str, typer.Option("--way", help="blur, pixelate or solid.")] = "pixelate",
    grow: Annotated[float, typer.Option("--grow", help="Hide so much more than the box of a face.")] = 0.3,
    search: Search = "thorough",
    detector: Detector = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Hide the faces in pictures and folders; writes new pictures, without metadata.

    A face that is not found stays visible: look at the pictures before you publish them.
    """
    from mien.cli.console import remarks, results
    from mien.cli.pictures import free_path
    from mien.cli.tables import watched, write_error
    from mien.cli.tally import Tally
    from mien.core.analysis import Failure
    from mien.errors import BadRequest
    from mien.media.expanding import expand
    from mien.media.images import save_image
    from mien.ops.hide import WAYS, hide_faces

    if way not in WAYS:
        raise BadRequest(f"Faces cannot be hidden by {way!r}.", hint=f"Ways: {', '.join(WAYS)}.")
    # Not as the profile may say: what is written shall be as large as what was read.
    with opened_kit(detector=detector, device=device, threads=threads, search=search, accurate=True) as kit:
        kit.stages_for(("box",))
    paths = list(expand(photos))
    tally = Tally()
    for result in tally.counting(watched(kit.analyze(paths, ("box", "score")), len(paths))):
        if isinstance(result, Failure):
            write_error(result.error)
            continue
        path = free_path(result.image, out)
        save_image(hide_faces(result.image, result.faces, way, grow=grow), path)
        results().print(f"{path}: {len(result.faces)} hidden", markup=False, soft_wrap=True)
    remarks().print("Look at them before you publish them: a face that was not found stays visible.")
    tally.finish()
