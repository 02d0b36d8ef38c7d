"""`mien identify`: who of the known people is in these pictures?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import exits
from mien.cli.options import Detector, Device, Embedder, Json, Largest, Out, Photos, Threads, opened_kit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mien.core.analysis import Failure
    from mien.core.results import Identification
    from mien.kit import Mien


def identify(
    photos: Photos,
    known: Annotated[
        Path, typer.Option("--known", metavar="DIR", help="Known people: a folder, or a file, per person.")
    ],
    largest: Largest = False,
    candidates: Annotated[int, typer.Option("--candidates", "-k", min=1, help="Nearest people to list.")] = 1,
    out: Out = None,
    as_json: Json = False,
    detector: Detector = None,
    embedder: Embedder = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Say who is in pictures, among people of whom you have pictures."""
    from mien.cli.console import write_json
    from mien.cli.rows import IdentifyReport, identify_row
    from mien.cli.tables import watched, write_error
    from mien.core.analysis import Failure
    from mien.media.images import find_images

    with opened_kit(detector=detector, embedder=embedder, device=device, threads=threads) as kit:
        kit.stages_for(("embedding",))
    people, rejected = _enroll(kit, known, largest=largest)
    paths = list(find_images(photos))
    found: list[Identification | Failure] = []
    for result in watched(kit.identify_all(paths, candidates), len(paths)):
        found.append(result)
        if out and not isinstance(result, Failure):
            _draw(result, out)
    if as_json:
        rule = kit.rule()
        rows = ([identify_row(result) for result in results] for results in (rejected, found))
        write_json(IdentifyReport(people, rule.distance, rule.fmr, rule.metric, rule.space, *rows))
    else:
        for failure in rejected:
            write_error(failure.error, "not enrolled: ")
        _write_table(found)
    if rejected or any(isinstance(result, Failure) for result in found):
        raise typer.Exit(exits.PARTIAL)


def _enroll(kit: Mien, known: Path, *, largest: bool) -> tuple[dict[str, int], list[Failure]]:
    """Enrol everybody of a folder; a person of whom no picture is usable is reported, not fatal."""
    from mien.cli.tables import watched
    from mien.core.analysis import Failure
    from mien.errors import InputError

    groups = _people(known)
    people: dict[str, int] = {}
    rejected: list[Failure] = []
    for person, paths in watched(groups.items(), len(groups)):
        try:
            done = kit.enroll(person, paths, face="largest" if largest else "only")
        except InputError as error:
            rejected.append(Failure(str(paths[0]), error))
        else:
            people[person] = done.faces
            rejected.extend(done.failures)
    return people, rejected


def _people(known: Path) -> dict[str, list[Path]]:
    """Pictures by person: `known/Ada/*.jpg`, or `known/Ada.jpg`, as users of face_recognition have."""
    from mien.errors import BadRequest
    from mien.media.images import find_images

    if not known.is_dir():
        raise BadRequest(
            f"{known} is not a folder.", hint="--known wants a folder with a folder or a file per person."
        )
    people: dict[str, list[Path]] = {}
    for path in find_images([known]):
        inside = path.relative_to(known)
        person = inside.parts[0] if len(inside.parts) > 1 else path.stem
        people.setdefault(person, []).append(path)
    if not people:
        raise BadRequest(
            f"{known} holds no pictures.", hint="--known wants a folder with a folder or a file per person."
        )
    return people


def _draw(result: Identification, folder: Path) -> None:
    from mien.cli.pictures import save_annotated

    names = result.names
    known = [name is not None for name in names]
    save_annotated(result.image, result.faces, folder, [name or "unknown" for name in names], known)


def _write_table(found: Iterable[Identification | Failure]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mien.cli.console import results
    from mien.cli.tables import write_error
    from mien.core.analysis import Failure

    table = Table("picture", "face", "who", "distance", "nearest", box=None)
    for result in found:
        if isinstance(result, Failure):
            write_error(result.error)
            continue
        source = escape(result.image.source or "")
        if not len(result):
            table.add_row(source, "-", "no face", "", "")
        for i, (face, match) in enumerate(result):
            nearest = result.matches[i]
            who = escape(match.person) if match else "[dim]unknown[/dim]"
            others = ", ".join(f"{escape(c.person)} {c.distance:.3f}" for c in nearest)
            distance = f"{nearest[0].distance:.3f}" if nearest else ""
            table.add_row(source, " ".join(f"{x:.0f}" for x in face.box), who, distance, others)
    results().print(table)
