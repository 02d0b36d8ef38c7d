"""Verification in words and tables."""

from __future__ import annotations

from mien.evaluate.by_group import ratio_words
from mien.evaluate.evaluation import Rate, Table
from mien.evaluate.measures.groups import Groups
from mien.evaluate.showing import number, percent, rate_cell
from mien.evaluate.verification.results import VerificationMeasures


def headline(found: VerificationMeasures) -> str:
    """The outcome in one sentence."""
    compared = f"{found.comparisons.genuine + found.comparisons.impostor:,} comparisons"
    if found.accuracy is not None and found.accuracy_sd is not None:
        return (
            f"{percent(found.accuracy)} ± {percent(found.accuracy_sd)} of {compared} decided rightly; "
            f"equal error rate {_with_interval(found.eer)}."
        )
    return f"Equal error rate {_with_interval(found.eer)} over {compared}."


def _with_interval(rate: Rate) -> str:
    return f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})"


def facts(found: VerificationMeasures) -> dict[str, str]:
    """What matters most."""
    told = {"equal error rate": percent(found.eer.value)}
    if found.accuracy is not None:
        told = {"accuracy": percent(found.accuracy)} | told
    told |= {
        f"FNMR at FMR {percent(at.fmr)}": percent(at.fnmr.value)
        for at in found.fnmr_at_fmr.values()
        if at.fnmr.value is not None
    }
    return dict(list(told.items())[:5])


def tables(found: VerificationMeasures) -> list[Table]:
    """What people read."""
    main = [
        ("equal error rate", rate_cell(found.eer), number(found.eer_threshold)),
        *(
            (f"FNMR at FMR {percent(at.fmr)}", rate_cell(at.fnmr), number(at.threshold))
            for at in found.fnmr_at_fmr.values()
        ),
    ]
    if found.operating:
        stated = percent(found.operating.stated_fmr) if found.operating.stated_fmr else "none stated"
        at = number(found.operating.threshold)
        main += [
            (f"FMR at the threshold in use (stated: {stated})", rate_cell(found.operating.fmr), at),
            ("FNMR at the threshold in use", rate_cell(found.operating.fnmr), at),
        ]
    main += [("photographs without a face", rate_cell(found.failure_to_acquire), "")]
    note = (
        f"{found.comparisons.people:,} people on {found.comparisons.photographs:,} photographs; "
        f"{found.comparisons.genuine:,} comparisons of one person, {found.comparisons.impostor:,} of two. "
        "Intervals are of 95 %, from people drawn with replacement. Comparisons of one person that could not "
        "be made count as errors."
    )
    return [
        Table("Error rates", ("measure", "rate", f"{found.metric} distance"), main, note),
        *map(_group_table, found.groups),
    ]


def _group_table(groups: Groups) -> Table:
    rows = [
        (one.group, f"{one.people:,}", f"{one.photographs:,}", rate_cell(one.fmr), rate_cell(one.fnmr))
        for one in groups.groups
    ]
    told = f"{ratio_words('FMR', groups.fmr_ratio)} {ratio_words('FNMR', groups.fnmr_ratio)}"
    note = f"All at the one threshold {number(groups.threshold)}. {told}"
    if groups.unlabelled:
        note += f" {groups.unlabelled:,} photographs have no label."
    return Table(f"By {groups.column}", ("group", "people", "photographs", "FMR", "FNMR"), rows, note)
