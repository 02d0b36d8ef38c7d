"""The tables that migrations make are those that the code knows, and they are made whole or not at all."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gallery.known import refused
from mien.errors import StoreCorrupt, StoreNewer
from mien.gallery.sql import migrating
from mien.gallery.sql.engine import connect
from mien.gallery.sql.schema import METADATA
from mien.gallery.store.store import Store


def scripts():
    config = Config()
    config.set_main_option("script_location", "mien.gallery.sql:migrations")
    return ScriptDirectory.from_config(config)


def test_migrations_make_the_schema(place):
    with place.store().engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
        found = sa.inspect(connection)
        assert set(found.get_table_names()) == {*METADATA.tables, "alembic_version"}
        for name, table in METADATA.tables.items():
            # What the comparison leaves out.
            assert found.get_pk_constraint(name)["constrained_columns"] == [
                one.name for one in table.primary_key
            ]
            assert {tuple(key["constrained_columns"]) for key in found.get_foreign_keys(name)} == {
                tuple(key.column_keys) for key in table.foreign_key_constraints
            }
            unique = [one for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
            assert sorted(one["column_names"] for one in found.get_unique_constraints(name)) == sorted(
                [column.name for column in one.columns] for one in unique
            )
            assert {one["name"] for one in found.get_check_constraints(name)} == {
                str(one.name) for one in table.constraints if isinstance(one, sa.CheckConstraint)
            }


def test_the_store_is_at_the_newest_revision(place):
    assert scripts().get_heads() == [migrating.SCHEMA]
    with place.store().engine.connect() as connection:
        assert migrating.revision(connection) == migrating.SCHEMA


def test_revisions_are_one_line():
    revisions = list(scripts().walk_revisions())
    assert [one.down_revision for one in revisions] == [*(one.revision for one in revisions[1:]), None]


def test_a_migration_that_fails_leaves_nothing(lasting, monkeypatch):
    def failing(connection):
        migrate(connection)
        connection.exec_driver_sql("SELECT 1 FROM there_is_no_such_table")

    migrate = migrating.migrate
    monkeypatch.setattr("mien.gallery.store.store.migrate", failing)
    assert isinstance(refused(lasting.store), StoreCorrupt)
    engine = connect(lasting.address)
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    engine.dispose()
    monkeypatch.undo()
    assert isinstance(lasting.store(), Store)


def test_opening_again_changes_nothing(lasting):
    with lasting.store() as store:
        with store.reading() as snapshot:
            before = snapshot.change
        first = store.id
    with lasting.store() as store, store.reading() as snapshot:
        assert (store.id, snapshot.change) == (first, before)


@pytest.mark.parametrize("other", ["0000", "0002", "ffff", ""])
def test_a_schema_that_is_not_known_is_newer(place, other):
    store = place.store()
    with store.engine.connect().execution_options(mien_way="writes") as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :other"), {"other": other})
        with pytest.raises(StoreNewer):
            migrating.migrate(connection)
        with pytest.raises(StoreNewer):
            migrating.known_revision(connection)


def test_a_store_that_lost_its_number_is_damaged(lasting):
    with lasting.store() as store, store.writing() as writing:
        writing.connection.exec_driver_sql("DELETE FROM alembic_version")
    assert isinstance(refused(lasting.store), StoreCorrupt)
