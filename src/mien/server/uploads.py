"""Photographs and other parameters out of a request: multipart, JSON with base64, or the bytes themselves."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from mien.core.analysis import Failure
from mien.errors import BadRequest, BodyTooLarge, MediaTypeUnsupported
from mien.media.opening import name_of
from mien.people.enrolling import SENT

_MOST_FIELDS = 1000
# Of everything but photographs: decoded, JSON takes many times its bytes.
MOST_TEXT_BYTES = 1024 * 1024
_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A photograph that was sent.

    Attributes:
        name: As the sender calls it, without folders; for people.
        folder: What the sender put before the name, without a separator at its end; may be empty.
        content: The file.
    """

    name: str
    content: bytes = field(repr=False)
    folder: str = field(default="", repr=False)

    @property
    def source(self) -> str:
        """What is kept as the origin of its faces."""
        return f"{SENT}{self.name}"

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Given:
    """What a request holds.

    Attributes:
        uploads: Photographs by field, in the order in which they were sent.
        values: Other parameters: `Texts` from queries and forms, anything from JSON.
    """

    uploads: tuple[tuple[str, Upload], ...]
    values: dict[str, Any] = field(repr=False)

    @property
    def digest(self) -> str:
        """Of everything in it; the same for the same content, however it is wrapped."""
        found = hashlib.sha256(msgspec.json.encode(self.values, order="sorted"))
        for name, upload in self.uploads:
            found.update(f"|{name}|{upload.folder}|{upload.name}|{upload.digest}".encode())
        return found.hexdigest()


class _InMemory(MultiPartParser):
    """Faces are never put into temporary files; the body as a whole is bounded."""

    spool_max_size = 2**62
    _whole = False

    def on_end(self) -> None:
        """The last boundary was there."""
        self._whole = True

    async def parse(self) -> FormData:
        """Read the form. Raises MultiPartException, also if something was cut off."""
        form = await super().parse()
        if not self._whole:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("It ends before its last boundary.")
        return form


async def read_given(request: Request, fields: Sequence[str], most: int) -> Given:
    """Read the body of a request.

    Args:
        request: Its body is bounded, and read as a whole.
        fields: Names that photographs may have; bytes without a name go by the first.
        most: Most photographs.

    Raises:
        BadRequest: It cannot be understood, or holds too many photographs.
        MediaTypeUnsupported: It is of another kind.
    """
    values: dict[str, Any] = texts_of(request.query_params.multi_items())
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":  # read as it comes, not twice
        uploads, more = await _form(request, fields, most)
    elif not (body := await request.body()):
        uploads, more = [], {}
    elif kind == "application/json":
        uploads, more = await anyio.to_thread.run_sync(_json, body, fields)
    elif kind.startswith("image/") or kind in {"application/octet-stream", ""}:
        uploads, more = [(fields[0], Upload("photograph", body))] if fields else [], {}
    else:
        raise MediaTypeUnsupported(f"A body of the type {name_of(kind)} is not understood.")
    if len(uploads) > most:
        raise BadRequest(f"A request holds at most {most} photographs, not {len(uploads)}.")
    return Given(tuple(uploads), {**values, **more})


async def _form(
    request: Request, fields: Sequence[str], most: int
) -> tuple[list[tuple[str, Upload]], dict[str, Any]]:
    parser = _InMemory(
        request.headers,
        request.stream(),
        max_files=most + 1,
        max_fields=_MOST_FIELDS,
        max_part_size=MOST_TEXT_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(f"The form cannot be read: {error.message}") from error
    except (KeyError, ValueError, LookupError) as error:
        raise BadRequest("The form cannot be read.") from error
    uploads: list[tuple[str, Upload]] = []
    texts: list[tuple[str, str]] = []
    try:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                texts.append((_text(name), _text(value)))
                continue
            if name not in fields:
                raise BadRequest(
                    f"No file is wanted as {name_of(name)}.", hint=f"Files: {', '.join(fields)}."
                )
            folder, called = _named(value.filename or "")
            uploads.append((name, Upload(called, await value.read(), folder)))
    finally:
        await form.close()
    _bound(sum(len(name) + len(value) for name, value in texts))
    return uploads, texts_of(texts)


def _text(given: str) -> str:
    """What was sent as text, if it is: some codecs make half a character."""
    if any("\ud800" <= letter <= "\udfff" for letter in given):
        raise BadRequest("The form holds characters that are no text.")
    return given


def _bound(size: int) -> None:
    if size > MOST_TEXT_BYTES:
        raise BodyTooLarge(f"Apart from photographs, a request has at most {MOST_TEXT_BYTES:,} bytes.")


def _json(body: bytes, fields: Sequence[str]) -> tuple[list[tuple[str, Upload]], dict[str, Any]]:
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        photos = {name: bytes(members.pop(name)) for name in fields if name in members}
        _bound(sum(len(name) + len(bytes(value)) for name, value in members.items()))
        values = {name: msgspec.json.decode(value, type=Any) for name, value in members.items()}
        sent = {name: msgspec.json.decode(text, type=str | list[str] | None) for name, text in photos.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body is no JSON object: {error}") from error
    uploads: list[tuple[str, Upload]] = []
    for name in fields:
        given = sent.get(name)
        if given is None:
            continue
        many = given if isinstance(given, list) else [given]
        uploads += [(name, Upload("photograph", _decoded(one, name))) for one in many]
    return uploads, values


def _decoded(text: str, name: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"{name} is not in base64.") from error


def _named(filename: str) -> tuple[str, str]:
    """What comes before the last separator, and what comes after; without what a terminal obeys."""
    folder, _, name = filename.replace("\\", "/").rpartition("/")
    return _clean(folder), _clean(name) or "photograph"


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text)[:_NAME_CHARACTERS]


class Texts(list[str]):
    """What a query or a form says of a parameter: as many texts as it names it times."""


def texts_of(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parameters of a query or a form by name."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found.setdefault(name, Texts()).append(value)
    return found


def shown_name(source: str | None) -> str:
    """How an answer calls a photograph that was sent."""
    return (source or "").removeprefix(SENT)


def shown_failure(failure: Failure) -> Failure:
    """A failure as an answer tells it: with the photograph as its sender calls it."""
    error = copy(failure.error)
    error.message = shown_text(error.message)
    return Failure(shown_name(failure.source), error)


def shown_text(message: str) -> str:
    """A message with photographs as their senders call them."""
    return message.replace(SENT, "")


def given_values(values: Mapping[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Parameters as fields of a struct want them: of `Texts` the only one, all, or what is JSON in it.

    Raises:
        BadRequest: There is no such field, or one is given several times that is wanted once.
    """
    known = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise BadRequest(
                f"There is no parameter {name_of(name)}.", hint=f"Parameters: {', '.join(known) or 'none'}."
            )
        found[name] = _fitting(name, value, known[name].type) if isinstance(value, Texts) else value
    return found


def _fitting(name: str, texts: Texts, wanted: Any) -> Any:  # noqa: ANN401 - a type
    described = msgspec.inspect.type_info(wanted)
    kinds = described.types if isinstance(described, msgspec.inspect.UnionType) else (described,)
    if any(isinstance(kind, msgspec.inspect.CollectionType) for kind in kinds):
        return _from_json(name, texts[0]) if len(texts) == 1 and texts[0].startswith("[") else list(texts)
    if len(texts) != 1:
        raise BadRequest(f"{name} is given {len(texts)} times.")
    text = texts[0]
    if text == "" and any(isinstance(kind, msgspec.inspect.NoneType) for kind in kinds):
        return None
    if any(isinstance(kind, msgspec.inspect.DictType) for kind in kinds):
        return _from_json(name, text)
    return text


def _from_json(name: str, text: str) -> Any:  # noqa: ANN401 - whatever was sent
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"{name} is no JSON: {error}") from error
