"""One file over HTTP(S), resumable."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mien.errors import DownloadFailed
from mien.packs.disk import writing

TIMEOUT_S = 30.0
CHUNK = 1 << 18
REPEAT_HINT = "Repeat the command: it goes on where it stopped."
REACH_HINT = "Check the network and its proxy, or set a mirror: MIEN_MIRROR."
PORTAL_HINT = "Sign in to the network with a web browser if it asks for that, and repeat."


def download(url: str, part: Path, size: int, report: Callable[[int], None]) -> bool:
    """Bring `part` to `size` bytes, going on from what is there already.

    The caller checks the digest. The validator (ETag or Last-Modified) of a partial file is kept
    beside it, so that a file which has changed on the server is fetched anew.

    Args:
        url: `http:` or `https:` address.
        part: File to fill; its folder is made.
        size: Length that the manifest promises.
        report: Told how many bytes are here.

    Returns:
        Whether bytes of an earlier call are in the file.

    Raises:
        DownloadFailed: Not reachable, refused, a web page, not the promised length, interrupted, or
            the disk is full. What arrived stays in `part`.
    """
    have, validator = _kept(part, url, size)
    if have == size:
        return True
    response, have = _ask(url, have, validator)
    with closing(response), writing(part, DownloadFailed):
        chunks = _chunks(response)
        first = _first(chunks, response, url, size - have)
        part.parent.mkdir(parents=True, exist_ok=True)
        if not have:
            part.unlink(missing_ok=True)
            part_note(part).write_text(json.dumps({"url": url, "validator": _validator(response)}), "utf-8")
        with part.open("ab") as file:
            _save(file, have, first, chunks, url, size, report)
    return have > 0


def part_note(part: Path) -> Path:
    """Where the origin of a partial file is kept."""
    return part.with_suffix(".json")


class _Interrupted(Exception):
    """The connection broke while the body was read."""


class _Redirects(HTTPRedirectHandler):
    """Follows to https only, or to the same host where the first address was plain http already."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        plain = old.scheme == new.scheme == "http" and old.hostname == new.hostname
        if new.scheme != "https" and not plain:
            fp.close()
            raise DownloadFailed(
                f"{req.full_url} redirects to {newurl}, which is not safe.", hint=PORTAL_HINT
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _kept(part: Path, url: str, size: int) -> tuple[int, str | None]:
    """How many bytes of an earlier download can be used, and the validator to ask with."""
    try:
        have = part.stat().st_size
    except FileNotFoundError:
        return 0, None
    if have == size:
        return have, None
    try:
        note = json.loads(part_note(part).read_text("utf-8"))
        usable = have < size and note["url"] == url and isinstance(note["validator"], str)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        usable = False
    return (have, note["validator"]) if usable else (0, None)


def _ask(url: str, have: int, validator: str | None) -> tuple[HTTPResponse, int]:
    """Ask for the rest, or for everything; returns the response and the offset that it starts at."""
    if have and validator:
        response = _open(url, {"Range": f"bytes={have}-", "If-Range": validator})
        if response is not None and response.status == http.client.OK:
            return response, 0
        if response is not None:
            if response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                return response, have
            response.close()
    response = _open(url, {})
    if response is not None and response.status == http.client.OK:
        return response, 0
    answer = "that it has no such range"
    if response is not None:
        response.close()
        answer = f"{response.status} {response.reason}"
    raise DownloadFailed(f"{url} answered {answer}.", hint=REACH_HINT)


def _open(url: str, headers: dict[str, str]) -> HTTPResponse | None:
    """Send one request; None when the server refuses the range."""
    # Compressed answers would not have the promised length.
    everything = {"User-Agent": "mien", "Accept-Encoding": "identity", **headers}
    request = Request(url, headers=everything)  # noqa: S310 - the caller chose the scheme
    try:
        response: HTTPResponse = build_opener(_Redirects).open(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None
        raise DownloadFailed(f"{url} answered {error.code} {error.reason}.", hint=REACH_HINT) from error
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise DownloadFailed(f"{url} cannot be reached: {reason}.", hint=REACH_HINT) from error
    return response


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    try:
        # read1, because read would lose up to a chunk when the connection breaks.
        while chunk := response.read1(CHUNK):
            yield chunk
    except (OSError, HTTPException) as error:
        raise _Interrupted(str(error)) from error


def _first(chunks: Iterator[bytes], response: HTTPResponse, url: str, expected: int) -> bytes:
    """Read the first bytes and refuse an answer that cannot be the file, before anything is overwritten."""
    try:
        first = next(chunks, b"")
    except _Interrupted as error:
        raise DownloadFailed(f"{url} stopped before the first byte: {error}.", hint=REPEAT_HINT) from error
    is_page = response.headers.get_content_type() == "text/html"
    if is_page or first.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise DownloadFailed(f"{url} answered with a web page instead of the file.", hint=PORTAL_HINT)
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) != expected:
        raise DownloadFailed(
            f"{url} offers {int(length):,} bytes; the manifest says {expected:,} are to come."
        )
    return first


def _save(
    file: IO[bytes],
    done: int,
    first: bytes,
    chunks: Iterator[bytes],
    url: str,
    size: int,
    report: Callable[[int], None],
) -> None:
    reason, chunk = "the connection was closed", first
    try:
        while chunk and done + len(chunk) <= size:
            file.write(chunk)
            done += len(chunk)
            report(done)
            chunk = next(chunks, b"")
    except _Interrupted as error:
        reason, chunk = str(error), b""
    if chunk:
        file.truncate(0)
        raise DownloadFailed(f"{url} is longer than the {size:,} bytes of the manifest.")
    if done < size:
        raise DownloadFailed(
            f"{url} stopped after {done:,} of {size:,} bytes ({reason}); they are kept.", hint=REPEAT_HINT
        )


def _validator(response: HTTPResponse) -> str | None:
    """What `If-Range` may carry: a strong ETag, or the date."""
    headers: Message = response.headers
    etag: str = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")
