"""The command `mien`: its nouns and verbs, and what happens to errors."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mien.cli import exits
from mien.cli.analyze import analyze
from mien.cli.anonymise import anonymise
from mien.cli.audit import app as audit
from mien.cli.calibrate import calibrate
from mien.cli.cluster import app as cluster
from mien.cli.compare import compare
from mien.cli.convert import convert
from mien.cli.demo import demo
from mien.cli.enroll import enroll
from mien.cli.evaluate.app import app as evaluate
from mien.cli.gallery import app as gallery
from mien.cli.identify import identify
from mien.cli.info import info
from mien.cli.keys import app as keys
from mien.cli.missing import app as missing
from mien.cli.packs import app as packs
from mien.cli.people import app as people
from mien.cli.schema import schema
from mien.cli.search import search
from mien.cli.serve import serve
from mien.cli.verify import verify

app = typer.Typer(
    name="mien",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Find faces, compare them and know who they are, on your own machine.",
    epilog="Exit codes: 0 done or same person, 1 different people, 2 usage, 3 picture, 4 pack, 5 gallery, "
    "6 video, 7 device, 8 settings, 9 some pictures failed, 10 output, 11 calibration, 12 server, 70 defect. "
    "Settings: mien.toml, MIEN_*.",
)
app.command(rich_help_panel="Pictures")(analyze)
app.command(rich_help_panel="Pictures")(verify)
app.command(rich_help_panel="Pictures")(anonymise)
app.command(rich_help_panel="Pictures")(demo)
app.command(rich_help_panel="People")(enroll)
app.command(rich_help_panel="People")(identify)
app.command(rich_help_panel="People")(search)
app.add_typer(people, name="people", rich_help_panel="People")
app.add_typer(cluster, name="cluster", rich_help_panel="People")
app.add_typer(missing, name="missing", rich_help_panel="People")
app.add_typer(gallery, name="gallery", rich_help_panel="People")
app.add_typer(audit, name="audit", rich_help_panel="People")
app.add_typer(evaluate, name="evaluate", rich_help_panel="Measures")
app.command(rich_help_panel="Measures")(calibrate)
app.command(rich_help_panel="Measures")(compare)
app.command(rich_help_panel="Machine")(serve)
app.add_typer(keys, name="keys", rich_help_panel="Machine")
app.add_typer(packs, name="packs", rich_help_panel="Machine")
app.command(rich_help_panel="Machine")(convert)
app.command(rich_help_panel="Machine")(info)
app.command(rich_help_panel="Machine")(schema)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("mien"))
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if ctx.invoked_subcommand == "packs":  # the other commands make a kit, which reads them itself
        from mien.settings import load_settings

        ctx.obj = load_settings()


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code; errors become one clear paragraph on stderr.

    Args:
        arguments: Words after `mien`; those of the process if None.
    """
    from mien.errors import MienError

    try:
        app(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else exits.FINE
    except MienError as error:
        from mien.cli.tables import write_error

        write_error(error)
        return exits.exit_code(error)
    except OSError as error:
        sys.stderr.write(f"The results could not be written: {error.strerror or error}.\n")
        return exits.OUTPUT
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except Exception:  # noqa: BLE001 - a door: whatever nobody foresaw ends here, and says so
        import traceback

        traceback.print_exc()
        sys.stderr.write("This is a defect of Mien. Please report it with the lines above.\n")
        return exits.BUG
    return exits.FINE


def main() -> None:
    """Entry point of the process."""
    sys.exit(run())
