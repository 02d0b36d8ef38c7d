"""Begin a case of a missing person, and run it as often as there is reason to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mien.errors import BadRequest
from mien.gallery.gallery import Gallery
from mien.gallery.store import reading
from mien.gallery.store.audit import now
from mien.people.case_folder import holding, kept_pictures, make_folder, read_case, save_case
from mien.people.case_search import search_case
from mien.people.cases import FORMAT, Case, Run, check_told, probe_picture
from mien.people.enrolling import Analyze
from mien.people.probes import Looked, check_different, look, make_probe
from mien.pipeline.choosing import Choice


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to look for, and where.

    Attributes:
        photographs: Paths, each with the year or day it was taken, ISO 8601; empty: as the photograph says.
        title: What the case is called; the name of its folder if it is empty.
        notes: Anything else.
        collection: People among whom the person is looked for.
        tags: Only those who have all of these.
        face: Which face of photographs with several.
    """

    photographs: tuple[tuple[Path, str], ...]
    title: str = ""
    notes: str = ""
    collection: str = "default"
    tags: tuple[str, ...] = ()
    face: Choice = "only"


def begin_case(folder: Path, wanted: Wanted, analyze: Analyze) -> Case:
    """Begin a case; every photograph is looked at once, so that none of them fails later.

    Args:
        folder: Of this case alone; made if it is missing.
        wanted: Whom to look for.
        analyze: As `Mien.analyze`.

    Raises:
        BadRequest: There is a case in the folder, no or too many photographs, one of them twice, what is said
            to be a year is none, or a text is too long.
        InputError: A photograph cannot be read, or does not show the face that is meant.
    """
    check_told(wanted.title, wanted.notes)
    paths = [path for path, _ in wanted.photographs]
    looked = look(paths, [wanted.face] * len(paths), analyze)
    digests = [one.digest for one in looked]
    check_different(paths, digests)
    case = Case(
        format=FORMAT,
        title=wanted.title or folder.resolve().name,
        notes=wanted.notes,
        created=now(),
        collection=wanted.collection,
        tags=wanted.tags,
        probes=tuple(
            make_probe(folder, path, wanted.face, taken, digest)
            for (path, taken), digest in zip(wanted.photographs, digests, strict=True)
        ),
    )
    make_folder(folder, case, _pictures(looked))
    return case


def run_case(folder: Path, gallery: Callable[[str], Gallery], analyze: Analyze) -> tuple[Case, Run | None]:
    """Look for the person of a case, and keep what is found in its folder.

    What was said about people who are gone from the gallery is dropped.

    Args:
        folder: Of the case.
        gallery: Gives the people of a collection by its name.
        analyze: As `Mien.analyze`.

    Returns:
        The case with what was found, and what had been found before.

    Raises:
        BadRequest: The case cannot be read or written, or a photograph is not what it was.
        UnreadableImage: A photograph is missing.
        GalleryError: The people cannot be read, or are of another embedder.
    """
    case = read_case(folder)
    paths = [folder / probe.photograph for probe in case.probes]
    looked = look(paths, [probe.face for probe in case.probes], analyze)
    for path, probe, found in zip(paths, case.probes, looked, strict=True):
        if found.digest != probe.digest:
            raise BadRequest(
                f"{path} is not the photograph that the case was begun with.",
                hint="Bring that one back, or begin a new case.",
            )
    people = gallery(case.collection)
    run, pictures = search_case(case, people, looked, kept_pictures(folder))
    with holding(folder):
        latest = read_case(folder)  # somebody may have reviewed it meanwhile
        with people.store.reading() as snapshot:
            there = reading.ids_of_people(snapshot, people.collection.id, list(latest.reviews))
        reviews = {who: said for who, said in latest.reviews.items() if who in there}
        done = msgspec.structs.replace(latest, run=run, reviews=reviews)
        save_case(folder, done, {**_pictures(looked), **pictures})
    return done, latest.run


def _pictures(looked: Sequence[Looked]) -> dict[str, bytes]:
    return {probe_picture(i): one.picture for i, one in enumerate(looked)}
