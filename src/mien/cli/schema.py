"""`mien schema`: the shape of what `--json` writes."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(command: Annotated[str, typer.Argument(help="analyze, verify or identify.")]) -> None:
    """Print the JSON schema of a command's --json output."""
    import msgspec

    from mien.cli.console import write_json
    from mien.cli.rows import SCHEMAS
    from mien.errors import BadRequest

    if command not in SCHEMAS:
        raise BadRequest(f"There is no schema of {command!r}.", hint=f"Schemas: {', '.join(SCHEMAS)}.")
    write_json(msgspec.json.schema(SCHEMAS[command]))
