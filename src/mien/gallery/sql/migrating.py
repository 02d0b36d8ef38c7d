"""Bring a store to the schema of this version, within one transaction: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mien.errors import StoreCorrupt, StoreNewer

if TYPE_CHECKING:
    from alembic.config import Config

# The newest revision in migrations/versions; a test compares.
SCHEMA = "0002"
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def revision(connection: Connection) -> str | None:
    """The schema that a store has; None if it has none yet.

    Raises:
        StoreCorrupt: The database is somebody else's: it has tables, and none of ours; or it is damaged.
    """
    tables = sa.inspect(connection).get_table_names()
    if _VERSION.name in tables:
        found: str | None = connection.execute(sa.select(_VERSION.c.version_num)).scalar()
        if found is None:
            raise StoreCorrupt("The store has lost the number of its schema.")
        return found
    if tables:
        raise StoreCorrupt(
            "The database is not empty, and no store.", hint="Give the store a file or a database of its own."
        )
    return None


def known_revision(connection: Connection) -> str | None:
    """As `revision`, of a store that this version can read.

    Raises:
        StoreNewer: A newer version of Mien wrote it.
        StoreCorrupt: It is somebody else's.
    """
    present = revision(connection)
    if present in {None, SCHEMA}:
        return present
    from alembic.script import ScriptDirectory

    with _configured(connection) as config:
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if present not in known:
        raise StoreNewer(f"The store has schema {present}; this version of Mien knows up to {SCHEMA}.")
    return present


def migrate(connection: Connection) -> None:
    """Run the migrations that a store lacks, in the transaction of the connection.

    Raises:
        StoreNewer: A newer version of Mien wrote it.
    """
    if known_revision(connection) == SCHEMA:
        return
    from alembic import command

    with _configured(connection) as config:
        command.upgrade(config, SCHEMA)


@contextmanager
def _configured(connection: Connection) -> Iterator[Config]:
    # Alembic takes a fifth of a second to import; a store that is up to date does without.
    from alembic.config import Config

    with as_file(files("mien.gallery.sql") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.attributes["connection"] = connection
        yield config
