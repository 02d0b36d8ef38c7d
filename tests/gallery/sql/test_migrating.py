"""The tables that migrations make are those that the code knows, and they are made whole or not at all."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gallery.known import KEY, OTHER_KEY, RULE, face, names, newcomer, refused, state, vectors
from mien.errors import KeyWrong, StoreCorrupt, StoreNewer, StoreReadOnly
from mien.gallery.backups import back_up, restore
from mien.gallery.checking import check
from mien.gallery.gallery import Gallery
from mien.gallery.sql import migrating
from mien.gallery.sql.engine import connect
from mien.gallery.sql.schema import METADATA
from mien.gallery.store import attachments, documents
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


@pytest.mark.parametrize("other", ["0000", "0003", "ffff", ""])
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


@pytest.fixture
def first_schema(lasting, monkeypatch):
    """A store that the first version made, with people in it; nobody has it open."""
    with monkeypatch.context() as patch:
        for room in ("mien.gallery.sql.migrating", "mien.gallery.store.store"):
            patch.setattr(f"{room}.SCHEMA", "0001")
        with lasting.store() as store:
            with store.engine.connect() as connection:
                tables = set(sa.inspect(connection).get_table_names())
            assert tables.isdisjoint({"api_key", "document", "attachment", "answer"})
            gallery = lasting.gallery(store=store)
            gallery.enroll_many([newcomer("Ada", face([0, 0], "a1", crop=b"picture"), tags=("t",))], "s")
            gallery.enroll_many([newcomer("Bo", [5, 0]), newcomer(None, [0, 9])], "s")
            before, rows = state(gallery), rows_of_first(store)
    return lasting, before, rows


def rows_of_first(store):
    """All rows of the tables of the first schema, but those that change when the store is opened."""
    names = [name for name in METADATA.tables if name not in {"api_key", "document", "attachment", "answer"}]
    with store.reading() as snapshot:
        return {
            name: [
                tuple(row) for row in snapshot.connection.exec_driver_sql(f"SELECT * FROM {name} ORDER BY 1")
            ]
            for name in names
        }


def test_a_store_of_the_first_schema_is_migrated_where_it_is(first_schema):
    place, before, rows = first_schema
    assert isinstance(refused(place.store, read_only=True), StoreReadOnly)
    store = place.store()
    assert rows_of_first(store) == rows
    with store.engine.connect() as connection:
        assert migrating.revision(connection) == migrating.SCHEMA
    gallery = place.gallery(store=store)
    assert state(gallery) == before
    assert names(gallery, vectors([0, 0], [5, 0])) == [["Ada"], ["Bo"]]
    ada = gallery.person("Ada").id
    with store.writing() as writing:
        made = documents.make(writing, "job", b"{}", owner="local", collection_id=gallery.collection.id)
        attachments.attach(writing, made.id, "a", b"x", person_id=ada)
    assert gallery.forget("Ada").faces == 1
    checked = check(store)
    assert (checked.people, checked.documents, checked.attachments, checked.problems) == (2, 1, 0, ())


def test_a_copy_of_the_first_schema_is_put_back_and_stays_as_it_is(file_place, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        for room in ("sql.migrating", "store.store", "backups"):
            patch.setattr(f"mien.gallery.{room}.SCHEMA", "0001")
        patch.setattr("mien.gallery.backups.METADATA", first_tables())
        with file_place.store() as store:
            gallery = file_place.gallery(store=store)
            gallery.enroll_many([newcomer("Ada", [0, 0]), newcomer("Bo", [5, 0])], "s")
            back_up(store, tmp_path / "one.db")
            before = state(gallery)
    content = (tmp_path / "one.db").read_bytes()
    done = restore(tmp_path / "one.db", str(tmp_path / "new" / "people.db"), KEY)
    assert (done.people, done.forgotten) == (2, 0)
    assert (tmp_path / "one.db").read_bytes() == content
    with Store(str(tmp_path / "new" / "people.db"), KEY) as store:
        assert state(Gallery(store, RULE)) == before
        assert check(store).problems == ()
    assert isinstance(refused(restore, tmp_path / "one.db", str(tmp_path / "b.db"), OTHER_KEY), KeyWrong)
    with file_place.store() as store:
        assert Gallery(store, RULE).forget("Ada").backups == (str(tmp_path / "one.db"),)
    with Store(str(tmp_path / "one.db"), KEY, read_only=True) as copy:
        assert check(copy).people == 1


def first_tables():
    """The schema without what came later."""
    tables = sa.MetaData()
    for table in METADATA.sorted_tables:
        if table.name not in {"api_key", "document", "attachment", "answer"}:
            table.to_metadata(tables)
    return tables


def test_an_empty_file_is_no_copy(tmp_path):
    (tmp_path / "empty.db").touch()
    assert isinstance(refused(restore, tmp_path / "empty.db", str(tmp_path / "new.db"), KEY), StoreCorrupt)
    assert not (tmp_path / "new.db").exists()
