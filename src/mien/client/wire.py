"""The only place of the client that speaks HTTP's library: opened safely, and its errors translated."""

from __future__ import annotations

import ipaddress
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypedDict
from urllib.parse import SplitResult, urlsplit

import httpx

from mien.client.call import Call, Form, Received
from mien.client.retrying import ALL, NONE, REPEATABLE, Lost, Retries
from mien.errors import BadRequest, ServerUnreachable, TimedOut

_CONNECT_S = 10.0


class Options(TypedDict, total=False):
    """How to reach a server; all of them may be left out.

    Attributes:
        timeout_s: Seconds to wait for the server while it says nothing; 60.
        retries: How often to ask again.
        allow_insecure: Send the key without encryption to another machine too.
        tls: Certificates to trust, and one's own: `ssl.create_default_context(cafile="ca.pem")`. Without,
            those of the package certifi are trusted.
        proxy: Address of a proxy; none.
        trust_env: Whether HTTP_PROXY, SSL_CERT_FILE and the like are obeyed. They are not: a variable that
            is set for other programs would lead photographs and the key, even those for this very
            machine, past a proxy that nobody chose for them.
    """

    timeout_s: float
    retries: Retries
    allow_insecure: bool
    tls: ssl.SSLContext
    proxy: str
    trust_env: bool


@dataclass(frozen=True, slots=True)
class Line:
    """What is known about the way to a server, with the key nowhere but in `headers`.

    Attributes:
        address: Of the server, without a slash at the end.
        timeout_s: See `Options`.
        retries: See `Options`.
        headers: Sent with everything.
        choices: For the library.
    """

    address: str
    timeout_s: float
    retries: Retries
    headers: Mapping[str, str]
    choices: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Line({self.address!r})"


def line_to(address: str, key: str | None, options: Options) -> Line:
    """Check an address, a key and options.

    Raises:
        BadRequest: The address is none of HTTP, the key is none, or it would travel without encryption.
    """
    parts = _split(address)
    secure = parts.scheme == "https" or _is_loopback(parts.hostname or "")
    if key is not None:
        _check_key(key)
        if not (secure or options.get("allow_insecure", False)):
            raise BadRequest(
                f"The key would travel to {parts.hostname} without encryption.",
                hint="Use an address with https:, or allow_insecure=True on a network that you trust.",
            )
    headers = {"accept": "application/json", "user-agent": f"mien/{version('mien')}"}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    timeout_s = options.get("timeout_s", 60.0)
    if not timeout_s > 0:
        raise BadRequest(f"timeout_s must be more than 0, not {timeout_s}.")
    choices: dict[str, Any] = {
        "trust_env": options.get("trust_env", False),
        "proxy": options.get("proxy"),
        "verify": options.get("tls", True),
        "timeout": httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s)),
        "follow_redirects": False,  # to wherever somebody points, with the key
    }
    return Line(address.rstrip("/"), timeout_s, options.get("retries", Retries()), headers, choices)


def request_of(line: Line, call: Call[Any], read_s: float | None = None) -> dict[str, Any]:
    """What the library's `build_request` is to be called with; the same each time the call is repeated.

    Args:
        line: Where to.
        call: What is asked.
        read_s: Seconds to wait for each piece of the answer; None: as the line says.
    """
    headers = dict(line.headers)
    if call.repeat == "keyed":
        headers["idempotency-key"] = call.key or secrets.token_urlsafe(24)
    if call.if_match is not None:
        headers["if-match"] = f'"{call.if_match}"'
    request: dict[str, Any] = {
        "method": call.method,
        "url": line.address + call.path,
        "params": call.query or None,
        "headers": headers,
    }
    if read_s is not None:
        request["timeout"] = httpx.Timeout(
            line.timeout_s, connect=min(_CONNECT_S, line.timeout_s), read=read_s
        )
    if isinstance(call.body, Form):
        # Fields are parts too: so they keep their order, and a form without photographs stays multipart.
        fields: list[tuple[str, Any]] = [(name, (None, value)) for name, value in call.body.fields]
        request["files"] = fields + [
            (name, (one.name, one.content, one.media_type)) for name, one in call.body.photographs
        ]
    elif call.body is not None:
        headers["content-type"] = "application/json"
        request["content"] = call.body
    return request


def received(response: httpx.Response) -> Received:
    """Take an answer whose body has been read."""
    return Received(response.status_code, dict(response.headers), response.content)


def lost(error: httpx.HTTPError, line: Line) -> Lost:
    """Translate what kept an answer away, and say which calls may be sent again."""
    why = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        # It has had its time. Who asks again only adds to its work.
        return Lost(TimedOut(f"{line.address} did not answer within {line.timeout_s:g} s."), NONE)
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        if "CERTIFICATE_VERIFY_FAILED" in why:
            hint = "Trust its certificate: tls=ssl.create_default_context(cafile='ca.pem')."
            return Lost(ServerUnreachable(f"{line.address} is not who it says: {why}.", hint=hint), NONE)
        return Lost(ServerUnreachable(f"{line.address} cannot be reached: {why}."), ALL)
    return Lost(ServerUnreachable(f"{line.address} broke off: {why}."), REPEATABLE)


def _split(address: str) -> SplitResult:
    hint = "Such as https://mien.example or http://127.0.0.1:8000."
    try:
        parts = urlsplit(address)
        good = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port)
        )
    except ValueError:
        good = False
    if not good or not address.isprintable() or " " in address:
        raise BadRequest("That is no address of a server.", hint=hint)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise BadRequest(
            "An address of a server has no user, no ? and no #; a key is given as key=.", hint=hint
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_key(key: str) -> None:
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        raise BadRequest("A key has printable ASCII characters only.", hint="Perhaps a line end came along.")
