"""One line about a face, for tables and for the tags of annotated pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mien.core.faces import Face


def _label(column: str) -> Callable[[Face], str]:
    def said(face: Face) -> str:
        label = face.label(column)
        return f"{column} uncertain" if label == "uncertain" else str(label)

    return said


# What is worth a word, in this order; the rest is in JSON and CSV.
_WORDS: dict[str, Callable[[Face], str]] = {
    "age": lambda face: f"{face.age:.0f} years",
    "gender": _label("gender"),
    "expression": _label("expression"),
    "mask": lambda face: f"mask {face.mask:.2f}",
    "live": lambda face: f"live {face.live:.2f}",
    "quality": lambda face: f"quality {face.quality:.2f}",
    "pose": lambda face: "yaw {:+.0f} pitch {:+.0f} roll {:+.0f}".format(*face.pose),  # type: ignore[misc]
    "eyes_open": lambda face: "eyes {:.2f} {:.2f}".format(*face.eyes_open),  # type: ignore[misc]
    "mouth_open": lambda face: f"mouth {face.mouth_open:.2f}",
}


# A tag on a picture has room for these.
_TAGGED = ("age", "gender", "expression", "live")


def summary(face: Face) -> str:
    """What was computed of a face besides where it is; empty if nothing was."""
    return _said(face, tuple(_WORDS))


def tag(face: Face) -> str:
    """The same in few words."""
    return _said(face, _TAGGED)


def _said(face: Face, columns: Sequence[str]) -> str:
    return ", ".join(_WORDS[name](face) for name in columns if getattr(face, name) is not None)
