"""What the figures of a case mean, in words."""

from __future__ import annotations

from mien.core.matches import Decision
from mien.pages.words import printable
from mien.people.cases import Candidate, Run, TakenBy
from mien.people.shortlist import FAR_PLACES, LARGE_GAP_YEARS, NEAR_PLACES

DECISIONS: dict[Decision, str] = {
    "known": "within the threshold",
    "uncertain": "uncertain",
    "unknown": "beyond the threshold",
}
_BY: dict[TakenBy, str] = {"": "", "user": "", "photograph": ", by the photograph"}
_NEARLY_ALL = 0.9995
_SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """A probability or rate in per cent; never a hundred, which nobody knows."""
    if share >= _NEARLY_ALL:
        return f"> 99.9{_SPACE}%"
    digits = f"{100 * share:.1f}" if share >= 1 - _NEARLY_ALL or not share else f"{100 * share:.2g}"
    return f"{digits}{_SPACE}%"


def count(n: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{n:,} {one if n == 1 else many}"


def taken_words(taken: str, *, by: TakenBy = "") -> str:
    """When a photograph was taken, and who says so if it is not a person."""
    return f"{printable(taken)}{_BY[by]}" if taken else "undated"


def gap_words(years: int | None) -> str:
    """How many years lie between two photographs."""
    if years is None:
        return "unknown"
    return count(years, "year", "years") if years else "less than one"


def margin_words(one: Candidate) -> str:
    """How much further the next candidate is."""
    if one.margin is None:
        return "nobody comes after"
    return f"is {one.margin:.3f} further"


def explained(run: Run, one: Candidate) -> str:
    """Why a candidate counts as what, and what that does not mean."""
    if one.decision == "known":
        return f"Within the threshold: counts as the same person.{_chance(run)}"
    if one.score <= run.threshold:
        return f"Within the threshold, and so is somebody who comes nearer or hardly less near.{_chance(run)}"
    apart = _apart(one)
    if one.decision == "uncertain":
        return f"Somewhat beyond the threshold, where strangers come more often.{apart}"
    if one.far_apart:
        return f"Beyond the threshold.{apart}"
    return "Beyond the threshold: counts as somebody else."


def list_words(run: Run) -> str:
    """How the list was made, and why it is as long as it is."""
    words = (
        "The smallest mean distance first: of each photograph to the nearest face of a candidate. It is a "
        "list to look at, not an answer."
    )
    far, listed = sum(one.far_apart for one in run.candidates), len(run.candidates)
    if not far:
        return words
    who = "all of them" if far == listed else f"{far} of them"
    end = (
        ". How much it grows was not measured here, so no distance rules any of them out."
        if run.far_review_distance is None
        else ", and count as uncertain further beyond the threshold."
    )
    return (
        f"{words} For {who} more than {LARGE_GAP_YEARS} years lie between the photographs, or nobody knows "
        "how many. A face changes over years, so that the distance of one person grows: such candidates are "
        f"listed down to place {FAR_PLACES} rather than {NEAR_PLACES}{end}"
    )


def _apart(one: Candidate) -> str:
    if not one.far_apart:
        return ""
    if one.gap_years is None:
        return " Nobody knows how many years lie between the photographs: this rules nobody out."
    return f" {one.gap_years} years lie between the photographs: this rules nobody out."


def _chance(run: Run) -> str:
    if run.fmr is None:
        return " How often strangers come so near was not measured."
    return (
        f" Of comparisons with a stranger {percent(run.fmr)} come so near, and each search makes as many as "
        "there are people."
    )
