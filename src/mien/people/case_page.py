"""The page of a case: whom to look for, and who it may be, side by side, for a person to decide."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePath

from mien.pages.markup import Html, facts_table, join, picture, table, tag
from mien.pages.page import document, facts, mark, section
from mien.pages.words import printable
from mien.people.case_words import (
    DECISIONS,
    count,
    explained,
    gap_words,
    list_words,
    margin_words,
    percent,
    taken_words,
)
from mien.people.cases import SAYS, Candidate, Case, FoundFace, Review, Run, face_picture, probe_picture

Pictures = Mapping[str, bytes]


def case_page(case: Case, pictures: Pictures) -> str:
    """Lay out a case; the page holds pictures of people that nothing protects.

    Args:
        case: What was looked for, found and said.
        pictures: JPEG by the names of `mien.people.cases.picture_names`; those that lack are not shown.

    Returns:
        An HTML page that needs no other file.
    """
    main = tag(
        "main",
        _header(case),
        section("Who is looked for", "", _probes(case, pictures)),
        _found(case, pictures),
        tag("footer", _footer(case)),
    )
    css = files("mien.people").joinpath("case_page.css").read_text("utf-8")
    return document(f"Mien case: {printable(case.title)}", main, css=(css,))


def _header(case: Case) -> Html:
    found = case.run.candidates if case.run else ()
    said = [review.says for review in case.reviews.values()]
    figures = {
        "photographs of the person": str(len(case.probes)),
        "candidates": str(len(found)),
        "within the threshold": str(sum(one.score <= case.run.threshold for one in found) if case.run else 0),
        "reviewed": f"{len(said)}, {said.count('yes')} yes" if said else "0",
    }
    notes = [tag("p", line, class_="lede") for line in _lines(case.notes)]
    return tag(
        "header", mark("missing person"), tag("h1", printable(case.title)), join(notes), facts(figures)
    )


def _lines(text: str) -> list[str]:
    """Lines of a text that a user wrote, without blank ones."""
    return [printable(line) for line in text.splitlines() if line.strip()]


def _probes(case: Case, pictures: Pictures) -> Html:
    shown = [
        _figure(
            pictures.get(probe_picture(i)),
            f"Photograph {i + 1}",
            taken_words(probe.taken, by=probe.taken_by),
            printable(PurePath(probe.photograph).name),
        )
        for i, probe in enumerate(case.probes)
    ]
    return tag("div", join(shown), class_="probes")


def _found(case: Case, pictures: Pictures) -> Html:
    run = case.run
    if run is None:
        empty = tag("p", "Nobody has been looked for yet: mien missing run .", class_="empty")
        return section("Who it may be", "", empty)
    if not run.candidates:
        where = f"Nobody is enrolled in {printable(case.collection)}" + (
            " with these tags." if case.tags else "."
        )
        return section("Who it may be", "", tag("p", where, class_="empty"))
    cards = [_candidate(case, run, one, pictures) for one in run.candidates]
    return join(
        [
            section("Who it may be", list_words(run), tag("div", join(cards), class_="candidates")),
            section("How to read this", "", _explained(case, run)),
        ]
    )


def _candidate(case: Case, run: Run, one: Candidate, pictures: Pictures) -> Html:
    head = tag(
        "div",
        tag("span", str(one.rank), class_="rank"),
        tag("h3", printable(one.person)),
        tag("span", DECISIONS[one.decision], class_=f"chip {one.decision}"),
        class_="head",
    )
    reviewed = case.reviews.get(one.person_id)
    done = f" said-{reviewed.says}" if reviewed else ""
    return tag(
        "article",
        head,
        tag("div", _pair(case, one, pictures), _says(run, one), class_="body"),
        _review(one, reviewed),
        _sources(one),
        class_=f"candidate{done}",
    )


def _pair(case: Case, one: Candidate, pictures: Pictures) -> Html:
    """The nearest face beside the probe that it is nearest to, and the faces that come next."""
    first, *others = one.faces
    probe = case.probes[first.probe]
    two = tag(
        "div",
        _figure(
            pictures.get(probe_picture(first.probe)),
            f"Photograph {first.probe + 1}",
            taken_words(probe.taken, by=probe.taken_by),
        ),
        _figure(_picture(first, pictures), printable(one.person), taken_words(first.taken)),
        class_="two",
    )
    if not others:
        return two
    more = [
        _figure(_picture(face, pictures), f"{face.distance:.3f}", taken_words(face.taken)) for face in others
    ]
    return tag("div", two, tag("div", join(more), class_="more"))


def _picture(face: FoundFace, pictures: Pictures) -> bytes | None:
    return pictures.get(face_picture(face.face_id))


def _figure(jpeg: bytes | None, title: str, *notes: str) -> Html:
    image = tag("div", "no picture is kept", class_="none") if jpeg is None else picture(jpeg, title)
    lines = (tag("span", note, class_="soft") for note in notes)
    return tag("figure", image, tag("figcaption", tag("b", title), *lines))


def _says(run: Run, one: Candidate) -> Html:
    numbers = [("mean distance", f"{one.score:.3f}, threshold {run.threshold:.3f}")]
    if one.probability is not None:
        numbers.append(("probability", f"{percent(one.probability)} at even odds before"))
    numbers.append(("the next", margin_words(one)))
    numbers.append(("years between", gap_words(one.gap_years)))
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in numbers]
    words = tag("p", explained(run, one))
    return tag("div", _meter(run, one), words, tag("dl", join(rows)), class_="says")


def _meter(run: Run, one: Candidate) -> Html:
    """A distance on a scale whose middle is the threshold."""
    at = min(100.0, 50 * one.score / run.threshold) if run.threshold > 0 else 100.0
    label = f"mean distance {one.score:.3f}, threshold {run.threshold:.3f}"
    mark_at = tag("i", style=f"left:{at:.1f}%")
    return tag("div", mark_at, class_=f"meter {one.decision}", role="img", aria_label=label)


def _review(one: Candidate, reviewed: Review | None) -> Html:
    command = tag("code", f"mien missing review . {one.person_id} --say {'|'.join(SAYS)}")
    if reviewed is None:
        return tag("p", "Not reviewed. ", command, class_="review")
    note = f": {printable(reviewed.note)}" if reviewed.note else ""
    said = tag("b", f"Reviewed: {reviewed.says}")
    return tag("p", said, f"{note} ({printable(reviewed.made[:10])}) ", command, class_="review")


def _sources(one: Candidate) -> Html:
    """Every figure, for who wants them."""
    probes = [
        [str(c.probe + 1), f"{c.distance:.4f}", gap_words(c.gap_years), _id(c.face_id)] for c in one.probes
    ]
    faces = [
        [_id(face.face_id), taken_words(face.taken), tag("code", printable(face.source) or "unknown")]
        for face in one.faces
    ]
    return tag(
        "details",
        tag(
            "summary", f"{count(len(one.probes), 'comparison', 'comparisons')}, and where the faces came from"
        ),
        table(["photograph", "distance", "years between", "nearest face"], probes, numbers=frozenset((1,))),
        table(["face", "taken", "photograph"], faces),
    )


def _id(face: str) -> Html:
    return tag("code", face, class_="id")


def _explained(case: Case, run: Run) -> Html:
    rows: list[tuple[str, str]] = [
        (
            "looked for in",
            printable(case.collection) + (f", tags {printable(', '.join(case.tags))}" if case.tags else ""),
        ),
        ("metric", f"{run.metric} distance between embeddings; less is more alike"),
        ("threshold", f"{run.threshold:.4f}, by {run.source}"),
        ("false-match rate", "not measured" if run.fmr is None else f"{percent(run.fmr)} of one comparison"),
        ("uncertain up to", _band(run.review_distance)),
        ("far apart in time", _band(run.far_review_distance)),
        ("embedding space", tag("code", run.space)),
    ]
    return facts_table(rows)


def _band(distance: float | None) -> str:
    return "no such band" if distance is None else f"{distance:.4f}"


def _footer(case: Case) -> str:
    made = (
        f"Made by Mien on {case.run.made[:10]}, at change {case.run.change} of the gallery. "
        if case.run
        else ""
    )
    return (
        f"{made}Nothing left this machine. The folder of this case names and shows people, and nothing in it "
        "is encrypted: whoever gets it sees them. Delete it when the case is closed."
    )
