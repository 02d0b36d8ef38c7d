"""Candidates are kept without names, so that no name outlives its person; those of today are put in later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from mien.answers.pictures import MatchRow


def nameless(matches: Iterable[MatchRow]) -> list[MatchRow]:
    """Candidates by identifier only."""
    return [msgspec.structs.replace(one, person="") for one in matches]


def with_names(matches: Iterable[MatchRow], names: Mapping[str, str]) -> list[MatchRow]:
    """Candidates who are there now.

    Args:
        matches: Candidates by identifier.
        names: Of the people who are there now, by identifier.
    """
    there = [(one, names.get(one.person_id or "")) for one in matches]
    return [msgspec.structs.replace(one, person=name) for one, name in there if name is not None]


def ids_of(matches: Iterable[MatchRow]) -> set[str]:
    """Identifiers of candidates."""
    return {one.person_id for one in matches if one.person_id}
