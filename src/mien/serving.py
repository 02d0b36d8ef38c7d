"""Choices of the operator about the server; the table `[server]` of mien.toml."""

from __future__ import annotations

from pathlib import Path

import msgspec

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Serving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the server listens, and what it takes. `MIEN_SERVER_PORT` and the like; lists with commas.

    Attributes:
        host: Address to listen at. Beyond this machine only with API keys.
        port: To listen at.
        workers: Processes that answer; each opens the networks for itself.
        tls_cert: Certificate chain, PEM; with `tls_key`, the server speaks HTTPS.
        tls_key: Its private key, PEM.
        hosts: Names under which the server may be asked, besides those of this machine; empty: on loopback
            none, else any.
        origins: Web pages of other origins that may ask, such as `https://intranet.example`.
        folders: Folders of this machine, and all below, that jobs may read photographs from.
        max_body_bytes: Most bytes of a request.
        max_pixels: Most pixels of a photograph.
        max_photographs: Most photographs of a request.
        waiting: Most photographs that are worked on or wait; beyond, the server says that it is overloaded.
        batch_wait_ms: How long a photograph that is ready waits for those that are just arriving.
        timeout_s: Within which a request has to have been sent, and its photographs to be looked at.
        rate_per_minute: Requests of one key, unless the key has a rate of its own; 0: as many as there are.
        console: Whether there is a page for people at `/`.
        trace: Address of an OpenTelemetry collector, OTLP over HTTP; None: no traces.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    max_body_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_photographs: int = 100
    waiting: int = 64
    batch_wait_ms: float = 5.0
    timeout_s: float = 30.0
    rate_per_minute: int = 0
    console: bool = True
    trace: str | None = None

    def __post_init__(self) -> None:
        least = {
            "port": 0,
            "workers": 1,
            "max_body_bytes": 1,
            "max_pixels": 1,
            "max_photographs": 1,
            "waiting": 1,
            "batch_wait_ms": 0,
            "rate_per_minute": 0,
        }
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ValueError(f"{name} must be at least {smallest}")
        if self.port > 65535:
            raise ValueError("port must be at most 65535")
        if not self.timeout_s > 0:
            raise ValueError("timeout_s must be more than 0")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key come together")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can ask."""
        return self.host in LOOPBACK
