"""Where figures come from: what was run, with which networks, on what, by which machine, when."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from mien.core.analysis import Failure
from mien.packs.manifest import Manifest, space
from mien.runtime.machine import Machine, this_machine

_GIT_TIMEOUT_S = 10.0
_CLONE = Path(__file__).parents[3]  # where this file lies in one, as src/mien/evaluate/provenance.py


class Provenance(msgspec.Struct, frozen=True):
    """What somebody needs to get the same figures again.

    Attributes:
        made: Local time with its offset, ISO 8601.
        command: The command line, without passwords of addresses.
        mien: Version of Mien.
        commit: Of the clone that Mien runs from, with `-dirty` behind it if files were changed; empty
            where Mien was installed otherwise.
        packs: By name, the digest of a pack's sources and preprocessing; see `mien.packs.manifest.space`.
        machine: What it ran on.
        data: What was read, as it was named on the command line, and how many of each.
        unusable: Photographs that could not be used, with the code of the error; the figures count them.
    """

    made: str
    command: str
    mien: str
    commit: str
    packs: dict[str, str]
    machine: Machine
    data: dict[str, str]
    unusable: dict[str, str] = {}  # msgspec copies it


def provenance(
    command: str, packs: Iterable[Manifest], data: Mapping[str, str], unusable: Iterable[Failure] = ()
) -> Provenance:
    """Write down where the figures of this moment come from.

    Args:
        command: The command line.
        packs: Networks that took part.
        data: What was read: its role, then a name or a count.
        unusable: Photographs that could not be used.
    """
    machine = this_machine()
    return Provenance(
        made=datetime.now().astimezone().isoformat(timespec="seconds"),
        command=_without_passwords(command),
        mien=machine.mien,
        commit=_commit(_CLONE),
        packs={pack.name: space(pack) for pack in packs},
        machine=machine,
        data={role: _without_passwords(name) for role, name in data.items()},
        unusable={one.source: one.error.code for one in unusable},
    )


def _without_passwords(text: str) -> str:
    return re.sub(r"(\w://)[^\s/]+@", r"\1…@", text)


def _commit(root: Path) -> str:
    """The commit of a clone of Mien; empty if `root` is none, such as a folder of installed packages."""
    if not ((root / ".git").exists() and (root / "pyproject.toml").is_file()):
        return ""
    # Looking must not lock the clone: somebody may be committing.
    words = ("git", "--no-optional-locks", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
    try:
        told = subprocess.run(  # noqa: S603 - fixed words
            words, cwd=root, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):  # no git here, or it refuses
        return ""
    return told.stdout.strip()
