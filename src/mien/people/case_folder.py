"""The folder of a case, that somebody can review, take along and delete.

    case.json     what is looked for, what was found last, what a person said about it
    case.html     the same as a page
    pictures/     of the probes and the candidates, for the page

A case names people and shows them, and nothing in it is encrypted. It holds no embeddings: the photographs
that are looked for stay where they are, and are embedded again whenever the case is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import msgspec

from mien.errors import BadRequest
from mien.gallery.store.audit import now
from mien.media.text import read_text
from mien.packs.disk import write_synced
from mien.people.case_page import case_page
from mien.people.cases import FORMAT, Case, Review, Says, check_note, picture_names

CASE = "case.json"
PAGE = "case.html"
PICTURES = "pictures"

_WAIT_S = 30


def make_folder(folder: Path, case: Case, pictures: Mapping[str, bytes]) -> None:
    """Begin a case in a folder, which is made for nobody but the user.

    Args:
        folder: Of the case.
        case: What is looked for.
        pictures: JPEG by name; see `picture_names`.

    Raises:
        BadRequest: There is a case in it already, or it cannot be written.
    """
    with _writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with holding(folder):
        # What lies in the folder of pictures and is not shown will be deleted.
        for name, what in ((CASE, "a case"), (PICTURES, "a folder of pictures")):
            if (folder / name).exists():
                raise BadRequest(f"There is {what} in {folder} already.", hint="Name another folder.")
        save_case(folder, case, pictures)


def read_case(folder: Path) -> Case:
    """Read a case.

    Raises:
        BadRequest: There is none, or it cannot be understood.
    """
    file = folder / CASE
    if not file.exists():
        raise BadRequest(f"There is no case in {folder}.", hint="Begin one: mien missing new FOLDER PHOTO...")
    try:
        case = msgspec.json.decode(read_text(file), type=Case)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"{file} is no case: {error}.", hint="Bring back a copy, or begin anew.") from error
    if case.format != FORMAT:
        raise BadRequest(f"{file} is of format {case.format}; this version reads {FORMAT}.")
    return case


def save_case(folder: Path, case: Case, pictures: Mapping[str, bytes]) -> None:
    """Write a case and its page, for one who is `holding` it; pictures that it shows no more are deleted.

    Args:
        folder: Of the case.
        case: As it is now.
        pictures: JPEG by name, those that are not in the folder yet.

    Raises:
        BadRequest: It cannot be written.
    """
    with _writing(folder):
        if (folder / PICTURES).is_symlink():
            # What is not shown is deleted, and must not be in another folder.
            raise BadRequest(f"{folder / PICTURES} leads elsewhere.", hint="Put a folder in its place.")
        (folder / PICTURES).mkdir(mode=0o700, exist_ok=True)
        for name, picture in pictures.items():
            _write(folder / PICTURES / name, picture)
        _write(folder / CASE, msgspec.json.format(msgspec.json.encode(case), indent=2) + b"\n")
        shown = set(picture_names(case))
        for file in (folder / PICTURES).iterdir():
            if file.name not in shown:
                file.unlink()
        _write(folder / PAGE, case_page(case, _pictures(folder, shown)).encode())


def kept_pictures(folder: Path) -> frozenset[str]:
    """Names of the pictures in a case."""
    with suppress(OSError):
        return frozenset(file.name for file in (folder / PICTURES).iterdir())
    return frozenset()


def review(folder: Path, who: str, says: Says, note: str = "") -> Case:
    """Keep what a person says about a candidate.

    Args:
        folder: Of the case.
        who: Name or identifier of somebody whom the last run found, or identifier of somebody who was
            reviewed before.
        says: Whether it is the person who is looked for.
        note: Anything else.

    Raises:
        BadRequest: The case cannot be read or written, or there is no such candidate.
    """
    check_note(note)
    with holding(folder):
        case = read_case(folder)
        found = case.run.candidates if case.run else ()
        ids = {one.person_id for one in found if who in (one.person_id, one.person)}
        ids |= {who} & case.reviews.keys()
        if not ids:
            raise BadRequest(
                f"{who!r} is no candidate of the case in {folder}.",
                hint="Candidates: mien missing run FOLDER",
            )
        said = dict.fromkeys(ids, Review(says, now(), note))
        case = msgspec.structs.replace(case, reviews={**case.reviews, **said})
        save_case(folder, case, {})
    return case


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Keep others from writing to a case, so that a review that is written while a run ends is not lost.

    Raises:
        BadRequest: There is no such folder, or somebody else does not let go of it.
    """
    if not folder.is_dir():
        raise BadRequest(
            f"There is no folder {folder}.", hint="Begin a case: mien missing new FOLDER PHOTO..."
        )
    lock = filelock.FileLock(os.fspath(folder / ".lock"), timeout=_WAIT_S, mode=0o600)
    with _writing(folder):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _pictures(folder: Path, names: set[str]) -> dict[str, bytes]:
    return {name: (folder / PICTURES / name).read_bytes() for name in names & kept_pictures(folder)}


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, for nobody but the user."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    write_synced(unfinished, content)
    unfinished.replace(file)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except filelock.Timeout as error:
        raise BadRequest(f"Somebody else is writing to the case in {folder}.", hint="Repeat.") from error
    except OSError as error:
        raise BadRequest(
            f"The case in {folder} cannot be written: {error.strerror or error}.",
            hint="Check who may write to the folder, and whether the disk is full.",
        ) from error
