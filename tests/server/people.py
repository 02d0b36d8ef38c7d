"""People of tests, as small photographs: quickly sent, and found by the starter's networks all the same."""

import io
from pathlib import Path

import PIL.Image

_KNOWN = Path(__file__).resolve().parents[2] / "examples" / "photos" / "known"
FILES = {
    "Grace": _KNOWN / "Grace Hopper" / "portrait.jpg",
    "Eileen": _KNOWN / "Eileen Collins" / "portrait.jpg",
    "Barack": _KNOWN / "Barack Obama" / "congress-2009.jpg",
    "Barack 2": _KNOWN / "Barack Obama" / "blue-room-2010.jpg",
}


def photograph(who, side=200, **options):
    """Somebody as the bytes of a JPEG whose longer side is so long; other sides give other photographs."""
    picture = PIL.Image.open(FILES[who])
    picture.thumbnail((side, side))
    return encoded(picture, **options)


def encoded(picture, kind="JPEG", **options):
    """A picture as the bytes of a file."""
    into = io.BytesIO()
    picture.save(into, kind, **options)
    return into.getvalue()


def nobody(size_wh=(64, 48), colour=(90, 120, 90)):
    """A photograph without a face."""
    return encoded(PIL.Image.new("RGB", size_wh, colour))


def together(*names, side=200):
    """Several people in one photograph, from left to right."""
    pictures = [PIL.Image.open(io.BytesIO(photograph(name, side))) for name in names]
    both = PIL.Image.new("RGB", (sum(one.width for one in pictures), side), "white")
    left = 0
    for one in pictures:
        both.paste(one, (left, 0))
        left += one.width
    return encoded(both)


def enrol(client, collection, name, *photos, headers=None, **form):
    """Enrol somebody; the answer. Lists are fields that are sent several times."""
    files = [("photo", (f"{i}.jpg", photo)) for i, photo in enumerate(photos)]
    path = f"/v1/collections/{collection}/people"
    return client.post(path, files=files, data={"name": name, **form}, headers=headers)
