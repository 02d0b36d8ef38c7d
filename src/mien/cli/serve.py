"""`mien serve`: face intelligence over HTTP, with a page for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.options import Collection, Detector, Device, Embedder, Search, StoreAddress, Threads


def serve(
    host: Annotated[
        str | None,
        typer.Option(
            "--host", metavar="ADDRESS", help="Where to listen; beyond this machine only with keys."
        ),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Where to listen; else 8000.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes that answer; else one.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate chain (PEM), for HTTPS.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key (PEM).")
    ] = None,
    no_console: Annotated[
        bool, typer.Option("--no-console", help="The API alone, without the page.")
    ] = False,
    collection: Collection = None,
    store: StoreAddress = None,
    detector: Detector = None,
    embedder: Embedder = None,
    search: Search = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Serve the API and the console; http://127.0.0.1:8000 unless settings say otherwise. Ctrl-C stops it."""
    from mien.cli.console import remarks
    from mien.errors import ExtraMissing
    from mien.settings import load_settings

    try:
        from mien.server.run import check, run
    except ImportError as error:
        if (error.name or "mien").partition(".")[0] == "mien":
            raise  # one of our own
        raise ExtraMissing.of("server", f"The server needs {error.name}.") from error

    told: dict[str, Any] = {
        "host": host,
        "port": port,
        "workers": workers,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "console": False if no_console else None,
    }
    settings = load_settings(
        collection=collection,
        store=store,
        detector=detector,
        embedder=embedder,
        search=search,
        device=device,
        threads=threads,
        server={name: value for name, value in told.items() if value is not None},
    )
    check(settings)
    scheme = "https" if settings.server.tls_cert else "http"
    name = f"[{settings.server.host}]" if ":" in settings.server.host else settings.server.host
    remarks().print(f"Mien answers at {scheme}://{name}:{settings.server.port}", markup=False)
    run(settings)
