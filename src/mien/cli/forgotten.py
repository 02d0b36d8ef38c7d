"""What is said when people were forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.gallery.forgetting import Forgotten


def say_forgotten(done: Forgotten) -> None:
    """Say who was forgotten and where, and where that could not be done."""
    from mien.cli.console import remarks, results

    people = "1 person" if len(done.people) == 1 else f"{len(done.people)} people"
    faces = "1 face" if done.faces == 1 else f"{done.faces} faces"
    copies = f", also in {len(done.backups)} backups" if done.backups else ""
    results().print(f"forgot {people} with {faces}{copies}")
    for path in done.unreached:
        remarks().print(
            f"not in the backup {path}, which could not be opened: delete it, then mien gallery disown it",
            markup=False,
            soft_wrap=True,
        )
