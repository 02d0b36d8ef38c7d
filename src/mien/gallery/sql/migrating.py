"""Bring a store to the schema of this version, within one transaction: all of it or nothing."""

from __future__ import annotations

from importlib.resources import as_file, files

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mien.errors import StoreCorrupt, StoreNewer

# The newest revision in migrations/versions; a test compares.
SCHEMA = "0001"
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def revision(connection: Connection) -> str | None:
    """The schema that a store has; None if it has none yet.

    Raises:
        StoreCorrupt: The database is somebody else's: it has tables, and none of ours.
    """
    tables = sa.inspect(connection).get_table_names()
    if _VERSION.name in tables:
        return connection.execute(sa.select(_VERSION.c.version_num)).scalar()
    if tables:
        raise StoreCorrupt(
            "The database is not empty, and no store.", hint="Give the store a file or a database of its own."
        )
    return None


def migrate(connection: Connection, target: str = SCHEMA) -> None:
    """Run the migrations that a store lacks, in the transaction of the connection.

    Raises:
        StoreNewer: A newer version of Mien wrote it.
    """
    present = revision(connection)
    if present == target:
        return
    # Alembic takes a fifth of a second to import; a store that is up to date does without.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    with as_file(files("mien.gallery.sql") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if present is not None and present not in known:
            raise StoreNewer(f"The store has schema {present}; this version of Mien knows up to {SCHEMA}.")
        config.attributes["connection"] = connection
        command.upgrade(config, target)
