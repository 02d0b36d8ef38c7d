"""The contact sheet of an album: one page on which a reviewer sees who was taken for one person."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib.resources import files
from pathlib import PurePath

from mien.errors import FaceUnknown, UnreadableImage
from mien.gallery.gallery import Gallery
from mien.gallery.store import reading
from mien.gallery.store.reading import Snapshot
from mien.media.images import open_image
from mien.media.thumbnails import jpeg
from mien.pages.markup import Html, join, picture, tag
from mien.pages.page import document, facts, mark, section
from mien.pages.words import printable, shorten
from mien.people.album_groups import Group, Member, groups

_THUMB_PX = 176
# More faces of one group tell a reviewer little, and a page for all of a large album opens in no browser.
_MOST_GROUPS = 500
_MOST_FACES = 60
_ODD_FACES = 20
_MOST_FOLDED = 1000
_CAPTION = 22
_EXPLAINED = (
    "The faces of each group are taken for one person's, those that are most like the others first. Look at "
    "the last ones: what is not sure is further from the others than two pictures of one person should be."
)


def album_page(album: Gallery, *, least: int = 2) -> str:
    """Lay out the contact sheet; it holds pictures of people that nothing protects any more.

    Args:
        album: The album. That its pictures were seen is noted in the audit log.
        least: Groups with fewer faces than this and no name are folded together at the end.

    Returns:
        An HTML page that needs no other file.
    """
    found = groups(album)
    own = [len(one.members) >= least or one.person.about.name is not None for one in found]
    shown = [one for one, card in zip(found, own, strict=True) if card]
    folded = [member for one, card in zip(found, own, strict=True) if not card for member in one.members]
    with album.store.writing(light=True) as writing:
        faces = sum(len(one.members) for one in found)
        writing.note("saw", album.collection.id, people=len(found), faces=faces, picture=True)
    with album.store.reading() as snapshot:
        pictures = _Pictures(snapshot, album.collection.id)
        cards = [_card(one, pictures, album.collection.name) for one in shown[:_MOST_GROUPS]]
        rest = _folded(folded, pictures, least)
    main = tag(
        "main",
        _header(found, len(shown), album.collection.name),
        section("People", _EXPLAINED if cards else "", _people(cards, len(shown) - len(cards))),
        rest,
        tag("footer", "Made by Mien. Nothing left this machine; whoever gets this page sees these people."),
    )
    css = files("mien.people").joinpath("album_page.css").read_text("utf-8")
    return document(f"Mien album: {printable(album.collection.name)}", main, css=(css,))


class _Pictures:
    """Small pictures of faces, out of a snapshot of the store."""

    def __init__(self, snapshot: Snapshot, collection_id: str) -> None:
        self._snapshot, self._collection_id = snapshot, collection_id

    def of(self, member: Member) -> Html:
        name = shorten(printable(PurePath(member.face.provenance.source).name) or "a face", _CAPTION)
        try:
            crop = reading.crop(self._snapshot, self._collection_id, member.face.id)
            small = None if crop is None else jpeg(open_image(crop), _THUMB_PX)
        except (FaceUnknown, UnreadableImage):
            small = None  # moved away while the page was made, or damaged
        if small is None:
            return tag("span", name, class_="none")
        return picture(small, name, loading="lazy")


def _header(found: Sequence[Group], cards: int, album: str) -> Html:
    members = [member for one in found for member in one.members]
    counts = {
        "faces": f"{len(members):,}",
        "groups": f"{cards:,}",
        "named": f"{sum(one.person.about.name is not None for one in found):,}",
        "not sure": f"{sum(not member.sure for member in members):,}",
        "alone": f"{sum(len(one.members) == 1 for one in found):,}",
    }
    quoted = printable(shlex.quote(album))
    commands = {
        "Name a group, and know its person from now on": f"mien cluster name ID NAME --album {quoted}",
        "Two groups are one person": f"mien cluster merge ID ID --album {quoted}",
        "A face is somebody else's": f"mien cluster move FACE --album {quoted}",
    }
    rows = [tag("li", tag("span", what), tag("code", how)) for what, how in commands.items()]
    return tag(
        "header",
        mark("album"),
        tag("h1", printable(album)),
        facts(counts),
        tag("ul", join(rows), class_="commands"),
    )


def _people(cards: list[Html], left: int) -> Html:
    if not cards:
        return tag("p", "Nobody has several faces in this album yet.", class_="empty")
    more = f"{left:,} smaller groups are not on this page."
    return tag("div", *cards, tag("p", more, class_="soft") if left else Html(), class_="groups")


def _card(one: Group, pictures: _Pictures, album: str) -> Html:
    count = len(one.members)
    named = one.person.about.name
    title = tag("h3", printable(named)) if named else tag("h3", "Who is it?", class_="soft")
    many = "1 face" if count == 1 else f"{count:,} faces"
    note = tag("p", many, class_="soft small")
    command = f"mien cluster name {one.person.id} NAME --album {shlex.quote(album)}"
    naming = Html() if named else tag("code", printable(command), class_="copy")
    code = tag("code", one.person.id, class_="id")
    head = tag("div", tag("div", title, note), code, class_="head")
    return tag("article", head, naming, _faces(one.members, pictures), class_="group")


def _faces(members: Sequence[Member], pictures: _Pictures) -> Html:
    left = len(members) - _MOST_FACES
    if left <= 0:
        parts = [_face(member, pictures) for member in members]
    else:
        parts = [_face(member, pictures) for member in members[: _MOST_FACES - _ODD_FACES]]
        parts.append(tag("li", tag("span", f"{left:,} more", class_="none")))
        parts += [_face(member, pictures) for member in members[-_ODD_FACES:]]
    return tag("ul", join(parts), class_="faces")


def _face(member: Member, pictures: _Pictures) -> Html:
    said = Html() if member.sure else tag("b", "not sure")
    where = printable(member.face.provenance.source)
    kind = "" if member.sure else "unsure"
    return tag("li", pictures.of(member), said, tag("code", member.face.id), title=where, class_=kind)


def _folded(members: Sequence[Member], pictures: _Pictures, least: int) -> Html:
    if not members:
        return Html()
    shown = [_face(member, pictures) for member in members[:_MOST_FOLDED]]
    many = "1 face" if len(members) == 1 else f"{len(members):,} faces"
    what = f"{many} like nobody else's" if least <= 2 else f"{many} in groups of fewer than {least}"
    left = len(members) - len(shown)
    more = tag("p", f"{left:,} more are in the album.", class_="soft small") if left else Html()
    inside = tag("ul", join(shown), class_="faces")
    return tag("section", tag("details", tag("summary", what), inside, more))
