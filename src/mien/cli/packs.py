"""`mien packs`: which networks there are, and putting them here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mien.packs.manifest import Licence, Manifest
    from mien.packs.store import PackStore

app = typer.Typer(no_args_is_help=True, help="List, install, verify and remove the networks.")

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Packs, or sets such as: starter.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List every pack and whether it is installed."""
    from rich.table import Table
    from rich.text import Text

    from mien.cli.console import results, write_json

    store = _store(ctx)
    rows = [_row(store, manifest) for manifest in store.manifests().values()]
    if as_json:
        write_json(rows)
        return
    table = Table("pack", "gives", "state", "fetches", "licence", "commercial use", box=None)
    for row in rows:
        size, licence = _megabytes(row["fetch_bytes"]), row["licence"]
        use = "yes" if licence["commercial"] else "no"
        table.add_row(row["name"], ", ".join(row["gives"]), row["state"], size, Text(licence["id"]), use)
    results().print(table)


@app.command()
def info(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="A pack.")], as_json: Json = False
) -> None:
    """Show everything that is known about one pack."""
    from rich.table import Table
    from rich.text import Text

    from mien.cli.console import results, write_json

    store = _store(ctx)
    manifest = store.manifest(name)
    row = _row(store, manifest)
    if as_json:
        write_json(row)
        return
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")  # an address that ends in "..." is of no use
    for label, text in _facts(manifest, row).items():
        if text:
            table.add_row(label, Text(text))
    results().print(table)


@app.command()
def install(
    ctx: typer.Context,
    names: Names,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Agree to the restricted licences of these packs.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Fetch and convert again, even if it is there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch, check and convert packs. What is there already is left alone."""
    from mien.cli.console import progress_bars, remarks, results, write_json

    store = _store(ctx)
    expanded = store.expand(names)
    for name in expanded:
        remarks().print(f"{name}: {_terms(store.manifest(name).licence)}", markup=False, soft_wrap=True)
    with progress_bars() as progress:
        for name in expanded:

            def told(stage: str, done: int, total: int, name: str = name) -> None:
                progress(f"{name}: {stage}", done, total)

            store.install(name, accept_licence=accept_licence, force=force, progress=told)
    if as_json:
        write_json([_row(store, store.manifest(name)) for name in expanded])
        return
    for name in expanded:
        results().print(f"{name} is installed in {store.get(name).folder}", markup=False, soft_wrap=True)


@app.command()
def quantise(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="An installed pack.")],
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTOS...", help="Photographs of people, a hundred faces or so.")
    ],
) -> None:
    """Make a copy of a pack in eight bits, called NAME-int8: faster on most processors, less exact.

    docs/benchmarks.md says what it gains and costs. Embeddings of the copy are of a space of their own.
    """
    from mien.cli.console import progress_bars, results
    from mien.kit import Mien

    with progress_bars() as progress:
        made = Mien(ctx.obj, progress=progress).quantise(name, photos)
    lines = [f"{made.name} is installed in {made.folder}"]
    lines += [f"{figure.what}: {figure.value}" for figure in made.manifest.figures]
    results().print("\n".join(lines), markup=False, soft_wrap=True)


@app.command()
def verify(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Default: all installed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare installed packs with the digests of their installation."""
    from mien.cli.console import results, write_json
    from mien.errors import PackCorrupt

    store = _store(ctx)
    wanted = store.expand(names) if names else store.present()
    found = {name: store.verify(name) for name in wanted}
    if as_json:
        write_json([{"name": name, "problems": problems} for name, problems in found.items()])
    else:
        for name, problems in found.items():
            results().print(f"{name}: {' '.join(problems) or 'whole'}", soft_wrap=True, markup=False)
    if broken := [name for name, problems in found.items() if problems]:
        raise PackCorrupt(
            f"Not as they were installed: {', '.join(broken)}.",
            hint=f"Install again: mien packs install {' '.join(broken)} --force",
        )


@app.command()
def remove(
    ctx: typer.Context,
    names: Names,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete installed packs."""
    from mien.cli.console import results

    store = _store(ctx)
    expanded = store.expand(names)
    if not yes:
        typer.confirm(f"Delete {', '.join(expanded)} from {store.folder}?", abort=True, err=True)
    for name in expanded:
        store.remove(name)
        results().print(f"{name} is removed")


def _store(ctx: typer.Context) -> PackStore:
    from mien.packs.store import PackStore

    return PackStore(ctx.obj.packs_dir, ctx.obj.mirror)


def _row(store: PackStore, manifest: Manifest) -> dict[str, Any]:
    """A pack as `--json` shows it: its manifest and what this machine has of it."""
    import msgspec

    state = store.state(manifest.name)
    here = {
        "state": state,
        "folder": None if state == "not installed" else str(store.folder / manifest.name),
        "fetch_bytes": sum(source.bytes for source in manifest.sources),
    }
    row: dict[str, Any] = msgspec.to_builtins(manifest)
    return row | here


def _facts(manifest: Manifest, row: dict[str, Any]) -> dict[str, str]:
    """Lines of `info`, by label; empty ones are not shown."""
    origin, threshold = manifest.origin, manifest.threshold
    return {
        "pack": f"{manifest.name} {manifest.version}",
        "summary": manifest.summary,
        "gives": f"{', '.join(manifest.gives)}; family {manifest.family}",
        "state": row["state"],
        "folder": row["folder"] or "",
        "licence": _terms(manifest.licence),
        "authors": origin.authors,
        "paper": origin.paper,
        "published": origin.published,
        "trained on": origin.training_data,
        "sources": "\n".join(f"{source.url} ({_megabytes(source.bytes)})" for source in manifest.sources),
        "files": ", ".join(file.name for file in manifest.files),
        "threshold": f"{threshold.metric} {threshold.distance}: {threshold.measured}" if threshold else "",
        "figures": "\n".join(f"{figure.what}: {figure.value} ({figure.by})" for figure in manifest.figures),
    }


def _terms(licence: Licence) -> str:
    use = "commercial use allowed" if licence.commercial else "no commercial use"
    restricted = ", needs --accept-licence" if licence.restricted else ""
    return f"{licence.name}, {use}{restricted}. {licence.note} {licence.url}".replace("  ", " ")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
