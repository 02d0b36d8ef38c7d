"""Errors by group in tables and charts."""

from __future__ import annotations

from collections.abc import Mapping

from mien.evaluate.bars import rate_bars
from mien.evaluate.evaluation import Bars, Rate, Table
from mien.evaluate.measures.case_groups import AgeGroups, CaseGroups, MeanError
from mien.evaluate.measures.groups import Ratio
from mien.evaluate.showing import NOTHING, rate_cell

# Bars that fit on a page; the table has all of them.
_MOST_BARS = 30


def rate_table(
    title: str,
    cases: str,
    rate: str,
    parts: Mapping[str, CaseGroups],
    *,
    unanswered: str = "without a face",
    note: str = "",
) -> Table:
    """A row for each group.

    Args:
        title: What is seen.
        cases: What is counted, such as "photographs".
        rate: What the rate is called.
        parts: The groups of one column; by kind where there are several, such as kinds of attacks.
        unanswered: What cases without an answer are; empty where every case has one.
        note: What else to say.
    """
    several = len(parts) > 1
    rows = [
        (
            *((part,) if several else ()),
            one.group,
            f"{one.cases:,}",
            *((f"{one.unanswered:,}",) if unanswered else ()),
            rate_cell(one.rate),
        )
        for part, groups in parts.items()
        for one in groups.groups
    ]
    header = (*(("kind",) if several else ()), "group", cases, *((unanswered,) if unanswered else ()), rate)
    told = [
        *([note] if note else []),
        *(
            ratio_words(f"{rate} of {part}" if several else rate, groups.ratio)
            for part, groups in parts.items()
        ),
    ]
    return Table(title, header, rows, _note(told, sum(one.unlabelled for one in parts.values())))


def rate_chart(title: str, rate: str, parts: Mapping[str, CaseGroups], note: str = "") -> Bars:
    """A bar for each group; see `rate_table`."""
    rates: dict[str, Rate] = {
        f"{part}, {one.group}" if len(parts) > 1 else one.group: one.rate
        for part, groups in parts.items()
        for one in groups.groups
    }
    column = next(iter(parts.values())).column
    shown = dict(list(rates.items())[:_MOST_BARS])
    return rate_bars(title, column, rate, shown, f"{note} {_left_out(len(rates))}".strip())


def age_table(groups: AgeGroups) -> Table:
    """A row for each group."""
    rows = [
        (
            one.group,
            f"{one.cases:,}",
            f"{one.unanswered:,}",
            _years(one.mae),
            NOTHING if one.bias is None else f"{one.bias:+.2f}",
        )
        for one in groups.groups
    ]
    header = ("group", "photographs", "without a face", "mean absolute error", "mean error")
    note = _note([ratio_words("mean absolute error", groups.ratio)], groups.unlabelled)
    return Table(f"Age by {groups.column}", header, rows, f"In years. {note}")


def age_chart(groups: AgeGroups) -> Bars:
    """A bar for each group."""
    mae = {one.group: one.mae for one in groups.groups[:_MOST_BARS]}
    return Bars(
        f"Age by {groups.column}",
        groups.column,
        "mean absolute error, years",
        {name: one.value for name, one in mae.items() if one.value is not None},
        {
            name: (one.low, one.high)
            for name, one in mae.items()
            if one.low is not None and one.high is not None
        },
        note=f"{_left_out(len(groups.groups))} Whiskers are 95 % intervals.".strip(),
    )


def _years(mae: MeanError) -> str:
    if mae.value is None:
        return NOTHING
    return f"{mae.value:.2f}" + (f" ({mae.low:.2f} to {mae.high:.2f})" if mae.low is not None else "")


def _note(told: list[str], unlabelled: int) -> str:
    return " ".join([*told, *([f"{unlabelled:,} have no label."] if unlabelled else [])])


def ratio_words(name: str, ratio: Ratio) -> str:
    """How far the worst group is from the best, in a sentence."""
    if ratio.value is None:
        return f"Worst to best {name}: {ratio.note}."
    interval = f"{ratio.low:.2f} or more" if ratio.high is None else f"{ratio.low:.2f} to {ratio.high:.2f}"
    return f"Worst to best {name}: {ratio.value:.2f} ({interval}; worst {ratio.worst}, best {ratio.best})."


def _left_out(bars: int) -> str:
    return f"{bars - _MOST_BARS:,} more are in the table." if bars > _MOST_BARS else ""
