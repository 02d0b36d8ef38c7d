"""A question to the server, described before it is sent: what both clients have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import msgspec

from mien.answers.pictures import encodable
from mien.answers.service import Page
from mien.client.photographs import Upload
from mien.errors import BadRequest, ServerUnreachable

T = TypeVar("T")

# Whether a call may be sent again although the first one may have been carried out: `safe` ones change
# nothing, or the same in the end; `keyed` ones carry an Idempotency-Key; `never` is neither.
Repeat = Literal["safe", "keyed", "never"]

Value = str | int | float | bool | date | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came.

    Attributes:
        status: Of HTTP.
        headers: By name in lower case.
        content: The body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        """Sizes only: a body may hold templates and names."""
        return f"Received({self.status}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the server made.

    Attributes:
        media_type: Such as `image/jpeg`.
        content: The file.
    """

    media_type: str
    content: bytes

    def __repr__(self) -> str:
        return f"Picture({self.media_type!r}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """A body of fields and photographs, `multipart/form-data`."""

    fields: tuple[tuple[str, str], ...] = ()
    photographs: tuple[tuple[str, Upload], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Call(Generic[T]):
    """One question to the server.

    Attributes:
        method: Of HTTP.
        path: Below the address of the server, quoted.
        answer: Reads what comes back, or raises ServerUnreachable.
        query: Parameters in the address.
        body: A form, or JSON as bytes; None: nothing.
        repeat: Whether it may be sent again.
        if_match: Version of the person that is to be changed.
        also: Statuses beside those of success that come with an answer.
        key: Idempotency-Key; None: each `keyed` call that is sent gets a fresh one.
    """

    method: str
    path: str
    answer: Callable[[Received], T]
    query: tuple[tuple[str, str], ...] = ()
    body: Form | bytes | None = None
    repeat: Repeat = "safe"
    if_match: int | None = None
    also: tuple[int, ...] = ()
    key: str | None = None

    def __repr__(self) -> str:
        """Method only: addresses and bodies name people."""
        return f"Call({self.method}, repeat={self.repeat!r})"

    def takes(self, status: int) -> bool:
        """Whether an answer of this status is one."""
        return 200 <= status < 300 or status in self.also

    def keyed(self, key: str) -> Call[T]:
        """The same with an Idempotency-Key of one's own, to repeat a write from another process.

        Raises:
            BadRequest: The call takes none, or the key is not 1 to 200 printable ASCII characters.
        """
        if self.repeat != "keyed":
            raise BadRequest(f"A {self.method} of this kind takes no Idempotency-Key.")
        if not (key.isascii() and key.isprintable() and 1 <= len(key) <= 200):
            raise BadRequest("An Idempotency-Key has 1 to 200 printable ASCII characters.")
        return replace(self, key=key)

    def at(self, cursor: str) -> Call[T]:
        """The same list further on."""
        return replace(
            self, query=(*(pair for pair in self.query if pair[0] != "cursor"), ("cursor", cursor))
        )


def row(kind: type[T]) -> Callable[[Received], T]:
    """Read an answer in JSON; fields that are not known are of a newer server, and skipped."""

    def read(received: Received) -> T:
        try:
            return msgspec.json.decode(received.content, type=kind)
        except msgspec.DecodeError as error:
            name = getattr(kind, "__name__", str(kind))
            raise ServerUnreachable(
                f"The server answered, and not with a {name} as this client knows it: {error}.",
                hint="Check that the address is that of Mien, and that both are of the same version.",
            ) from error

    return read


def page(kind: type[T]) -> Callable[[Received], Page[T]]:
    """Read a part of a list."""
    wanted: Any = Page
    return row(wanted[kind])


def picture(received: Received) -> Picture:
    """Read a picture."""
    media_type = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type.startswith("image/"):
        raise ServerUnreachable(
            f"The server answered {received.status} with {media_type or 'nothing'} where a picture was due."
        )
    return Picture(media_type, received.content)


def nothing(_: Received) -> None:
    """Read no answer."""


def path(*segments: str) -> str:
    """Join segments to a path below `/v1`.

    Raises:
        BadRequest: A segment is empty, or would lead to another place.
    """
    for segment in segments:
        if segment in ("", ".", "..") or "/" in segment or "\\" in segment:
            raise BadRequest(
                f"{segment!r} cannot be part of an address.",
                hint="Give the identifier instead of the name.",
            )
    return "/".join(("/v1", *(quote(encodable(segment), safe="") for segment in segments)))


def pairs(**values: Value | Iterable[Value] | None) -> tuple[tuple[str, str], ...]:
    """Spell parameters for a query or a form: None is left out, several are repeated, objects are JSON."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        several = isinstance(value, Iterable) and not isinstance(value, (str, Mapping))
        many: Any = value if several else [value]
        found += [(name, _spelled(one)) for one in many if one is not None]
    return tuple(found)


def json(**values: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Spell a body in JSON; what is `msgspec.UNSET` is left out."""
    return msgspec.json.encode({name: one for name, one in values.items() if one is not msgspec.UNSET})


def _spelled(value: Value) -> str:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, date):
        return value.isoformat()
    return msgspec.json.encode(value).decode()
