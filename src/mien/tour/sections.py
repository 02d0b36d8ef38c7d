"""What the sections of the report hold."""

from __future__ import annotations

from mien.core.analysis import Failure
from mien.core.matches import Match
from mien.core.results import Identification
from mien.gallery.rule import DecisionRule
from mien.media.thumbnails import jpeg, portrait
from mien.packs.manifest import Manifest
from mien.pages.markup import Html, facts_table, join, picture, table, tag
from mien.runtime.machine import Machine
from mien.tour.tour import Known, Pair, Probe, Tour, shown_name

_CARD_PX, _THUMB_PX, _FACE_PX = 880, 208, 152


def count(n: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{n} {one if n == 1 else many}"


def figures(tour: Tour) -> tuple[str, str]:
    """How many people are known and how many pictures were looked at, in words."""
    people = sum(bool(person.photos) for person in tour.people)
    photos = sum(len(person.photos) for person in tour.people)
    known = f"{count(people, 'person', 'people')} from {count(photos, 'photograph', 'photographs')}"
    return known, count(len(tour.probes), "other", "others")


def probe_cards(tour: Tour) -> Html:
    """One card for each picture that was looked at."""
    if not tour.probes:
        return tag("p", "No pictures to look at: put some into the folder “unknown”.", class_="empty")
    return tag("div", join([_card(tour, probe) for probe in tour.probes]), class_="cards")


def people_list(tour: Tour) -> Html:
    """Everybody who is known, with the photographs that made them so."""
    return tag("ul", join([_person(tour, person) for person in tour.people]), class_="people")


def pair_list(tour: Tour) -> Html:
    """The pairs that were compared."""
    if not tour.pairs:
        return tag("p", "Nobody could be compared with anybody.", class_="empty")
    return tag("ul", join([_pair(tour, pair) for pair in tour.pairs]), class_="pairs")


def decision(rule: DecisionRule) -> Html:
    """The rule in words and its constants in a table."""
    words = (
        f"Each face becomes a list of numbers, and the {rule.metric} distance between two such lists says "
        f"how different the faces are. At {rule.distance:g} or less they are taken for one person: that is "
        "the line in the middle of every meter on this page, with the same person left of it and somebody "
        "else right of it. Similarity is the cosine between the two lists, from −1 to 1; how high it is for "
        "strangers depends on the network, so it does not decide."
    )
    rows: list[tuple[str, str]] = [
        ("metric", rule.metric),
        ("threshold", f"{rule.distance:g}"),
        ("false-match rate", fmr_words(rule.fmr)),
        ("embedding space", tag("code", rule.space)),
    ]
    return tag("div", tag("p", words, class_="soft"), facts_table(rows))


def fmr_words(fmr: float | None) -> str:
    """The false-match rate of a threshold, for people."""
    if fmr is None:
        return "not measured"
    passing = round(10_000 * fmr)
    return f"{fmr:.2%}: of 10,000 pairs of different people about {passing} would pass for one person"


def pack_table(packs: tuple[Manifest, ...]) -> Html:
    """The networks, what they do, whose they are, and under which licence."""
    rows: list[list[str]] = []
    for pack in packs:
        name = tag("div", tag("strong", pack.name), tag("small", pack.summary))
        licence = tag("div", f"{pack.licence.name} ({pack.licence.id})", tag("small", pack.licence.note))
        rows.append([name, licence, tag("div", f"{pack.origin.authors}, {pack.origin.published}")])
    return table(["pack", "licence", "by"], rows, stack=True)


def machine_facts(tour: Tour, machine: Machine, command: str) -> Html:
    """Versions, hardware and the command line."""
    rows: list[tuple[str, str]] = [
        ("command", tag("code", command)),
        ("Mien", machine.mien),
        ("ONNX Runtime", f"{machine.onnxruntime}, on {tour.device}, threads per network: {tour.threads}"),
        ("Python", machine.python),
        ("system", f"{machine.system}, {count(machine.cores, 'core', 'cores')}"),
        ("photographs", tag("code", str(tour.album.folder))),
    ]
    return facts_table(rows)


def _card(tour: Tour, probe: Probe) -> Html:
    name = shown_name(tour.album, probe.photo)
    image = picture(jpeg(probe.annotated, _CARD_PX), name) if probe.annotated else Html()
    title = tag("h3", name, tag("span", f"{1000 * probe.time_s:.0f} ms"))
    return tag("article", image, tag("div", title, _faces(tour, probe)), class_="card")


def _faces(tour: Tour, probe: Probe) -> Html:
    if isinstance(probe.found, Failure):
        return tag(
            "div", _who("could not be read", "nobody"), _note(probe.found.error.message), class_="face"
        )
    if not len(probe.found):
        return tag("div", _who("No face", "nobody"), _note("Nothing in it looks like one."), class_="face")
    return join([_face(tour.rule, probe.found, i) for i in range(len(probe.found))])


def _face(rule: DecisionRule, found: Identification, i: int) -> Html:
    nearest = found.matches[i]
    if not nearest:
        return tag("div", _who("unknown", "unknown"), _note("Nobody is enrolled."), class_="face")
    match = nearest[0]
    numbers = _numbers(match.distance, match.similarity)
    note = numbers if match.accepted else f"nearest is {match.person}: {numbers}"
    return tag(
        "div",
        _who(*_name(match)),
        _meter(match.distance, rule.distance, match.accepted),
        _note(note),
        class_="face",
    )


def _name(match: Match) -> tuple[str, str]:
    return (match.person, "known") if match.accepted else ("unknown", "unknown")


def _person(tour: Tour, person: Known) -> Html:
    photos = [picture(jpeg(p, _THUMB_PX), shown_name(tour.album, p.source)) for p in person.photos]
    notes = [count(len(photos), "photograph", "photographs") if photos else "Not enrolled."]
    notes += [f"{shown_name(tour.album, f.source)}: {f.error.message}" for f in person.failures]
    return tag(
        "li",
        tag("div", join(photos), class_="photos"),
        tag("h3", person.name),
        join([_note(note) for note in notes]),
    )


def _pair(tour: Tour, pair: Pair) -> Html:
    found = pair.verification
    faces = ((pair.a, found.face_a), (pair.b, found.face_b))
    names = [shown_name(tour.album, image.source) for image, _ in faces]
    images = [
        picture(jpeg(portrait(image, face), _FACE_PX), name)
        for (image, face), name in zip(faces, names, strict=True)
    ]
    verdict = _who("same person", "known") if found.verified else _who("different people", "unknown")
    wrong = pair.expected is not None and pair.expected != found.verified
    return tag(
        "li",
        tag("div", *images, class_="two", title=" · ".join(names)),
        tag(
            "div",
            verdict,
            _meter(found.distance, found.threshold, found.verified),
            _note(_numbers(found.distance, found.similarity)),
            _note("The folders say otherwise.") if wrong else Html(),
            class_="says",
        ),
    )


def _meter(distance: float, threshold: float, accepted: bool) -> Html:
    """A distance on a scale whose middle is the threshold."""
    at = min(100.0, 50 * distance / threshold)
    return tag(
        "div",
        tag("i", style=f"left:{at:.1f}%"),
        class_=f"meter {'known' if accepted else 'unknown'}",
        role="img",
        aria_label=f"distance {distance:.3f}, threshold {threshold:g}",
    )


def _numbers(distance: float, similarity: float) -> str:
    """Both figures; a line may break between them, not inside (the spaces are no-break spaces)."""
    return f"distance\N{NO-BREAK SPACE}{distance:.3f}, similarity\N{NO-BREAK SPACE}{similarity:.3f}"


def _who(text: str, kind: str) -> Html:
    return tag("p", text, class_=f"who {kind}")


def _note(text: str) -> Html:
    return tag("p", text, class_="soft small")
