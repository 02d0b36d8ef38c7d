"""What is refused before anything is looked at, and the headers that every answer has.

Pages of strangers run in browsers of people who may reach the server. So it is asked under its own names only
(else a stranger's name could be pointed at it: DNS rebinding), by its own pages or those that the operator
named, and its answers are of no use in frames, as scripts or as pictures of other pages.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.errors import BodyTooLarge, Forbidden, MienError, Overloaded, TimedOut
from mien.server.failing import error_answer
from mien.serving import LOOPBACK, Serving

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# How many of the largest bodies there is room for.
_BODIES = 4
_ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
_CORS = {
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": "authorization, x-api-key, content-type, if-match, idempotency-key, "
    "x-request-id",
    "access-control-expose-headers": "etag, location, retry-after, x-request-id, idempotent-replayed",
    "access-control-max-age": "600",
}


class Guarding:
    """Wraps an application; see above."""

    def __init__(self, app: ASGIApp, serving: Serving) -> None:
        self._app, self._serving = app, serving
        self._held = _Held(_BODIES * serving.max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        allowed = origin is not None and origin in self._serving.origins

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _dress(MutableHeaders(scope=message), scope, origin if allowed else None)
            await send(message)

        try:
            self._check(scope, headers)
        except MienError as error:
            scope["state"]["error"] = error
            await error_answer(error, scope)(scope, receive, sending)
            return
        if allowed and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204, headers=_CORS)(scope, receive, sending)
            return
        body = _Body(receive, self._serving, self._held)
        try:
            await self._app(scope, body, sending)
        finally:
            body.let_go()

    def _check(self, scope: Scope, headers: Headers) -> None:
        hosts = headers.getlist("host")
        host = hosts[0] if len(hosts) == 1 else ""  # of two, somebody in between may have looked at the other
        name = _name_in(host)
        ours = {*self._serving.hosts, *LOOPBACK, self._serving.host}
        anywhere = not self._serving.on_loopback and not self._serving.hosts
        if not anywhere and name not in ours:
            raise Forbidden(
                "The server is not asked under one of its names.",
                hint="Names are given by MIEN_SERVER_HOSTS, or hosts in [server] of mien.toml.",
            )
        origin = headers.get("origin")
        own = f"{scope['scheme']}://{host}"
        if origin is not None and origin != own and origin not in self._serving.origins:
            raise Forbidden(
                "A page of another origin may not ask.",
                hint="Origins are given by MIEN_SERVER_ORIGINS, or origins in [server] of mien.toml.",
            )
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._serving.max_body_bytes:
            raise _too_large(self._serving)


@dataclass(slots=True)
class _Held:
    """What the bodies of all requests take."""

    most: int
    bytes: int = 0


class _Body:
    """Receives a body that has an end, in length and in time."""

    def __init__(self, receive: Receive, serving: Serving, held: _Held) -> None:
        self._receive, self._serving, self._held = receive, serving, held
        self._bytes = self._counted = 0
        self._whole = False
        self._end = asyncio.get_running_loop().time() + serving.timeout_s

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()  # whether somebody still listens
        try:
            async with asyncio.timeout_at(self._end):
                message = await self._receive()
        except TimeoutError as error:
            raise TimedOut(f"The request was not sent within {self._serving.timeout_s:g} s.") from error
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._bytes > self._serving.max_body_bytes:
                raise _too_large(self._serving)
            self._held.bytes += len(message.get("body", b""))
            self._counted = self._bytes
            if self._held.bytes > self._held.most:
                raise Overloaded("The bodies of other requests take all the room there is.", retry_after_s=1)
        return message

    def let_go(self) -> None:
        """The request is answered."""
        self._held.bytes -= self._counted


def _dress(headers: MutableHeaders, scope: Scope, origin: str | None) -> None:
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")
    if scope["scheme"] == "https":
        headers["strict-transport-security"] = "max-age=31536000"
    headers.add_vary_header("Origin")
    if origin is None:
        headers["cross-origin-resource-policy"] = "same-origin"
    else:
        headers["cross-origin-resource-policy"] = "cross-origin"
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = _CORS["access-control-expose-headers"]


def _name_in(host: str) -> str:
    """The name that a server is asked under, without its port; empty if it is none."""
    if not all(letter.isalnum() or letter in ".-_:[]" for letter in host):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # a bracket that does not close
        return ""


def _too_large(serving: Serving) -> BodyTooLarge:
    return BodyTooLarge(
        f"A request has at most {serving.max_body_bytes:,} bytes.",
        hint="Send fewer photographs at once, or raise MIEN_SERVER_MAX_BODY_BYTES.",
    )
