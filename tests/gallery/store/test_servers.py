"""Servers that do not answer or refuse; and nothing secret is said, whatever goes wrong."""

from pathlib import Path

import pytest

from gallery.known import KEY, Place, newcomer, refused, vectors
from mien.errors import (
    BadRequest,
    GalleryError,
    PersonExists,
    StoreLocked,
    StoreUnreachable,
)
from mien.gallery.checking import check
from mien.gallery.sql.engine import connect, refusing
from mien.gallery.store.store import Store

TESTS = Path(__file__).resolve().parents[2]


def test_a_row_that_another_holds_too_long_on_a_server(postgres):
    place = Place(postgres.fresh(), "postgres")
    gallery = place.gallery(store=place.store(wait_s=0.2))
    engine = connect(place.address)
    with engine.begin() as holder:
        holder.exec_driver_sql("SELECT * FROM store FOR UPDATE")
        assert type(refused(gallery.enroll, "Bo", vectors([0, 1]), "s")) is StoreLocked
    engine.dispose()
    gallery.enroll("Bo", vectors([0, 1]), "s")
    place.close()
    postgres.drop(place.address)


@pytest.mark.parametrize("address", [
    "postgresql://me:hunter2@localhost:1/people",
    "postgresql://me:hunter2@no-such-host.invalid/people",
    "postgresql://me:hunter2@/people?host=/nowhere",
])  # fmt: skip
def test_a_server_that_is_not_there(address):
    pytest.importorskip("psycopg")
    error = refused(Store, address, KEY)
    assert type(error) is StoreUnreachable
    assert "me:***@" in error.message
    assert "hunter2" not in _all_said(error)


def test_users_and_databases_that_a_server_does_not_know(postgres):
    postgres.demand_password("guarded", "right-hunter2")
    address = postgres.fresh()
    database = address.rsplit("/t", 1)[1]
    place = Place(address.replace("postgres:@", "guarded:right-hunter2@"), "postgres")
    assert "hunter2" not in f"{place.store()!r} {place.store().name} {place.gallery()!r}"
    place.close()
    for wrong in (
        place.address.replace("right-", "wrong-"),
        place.address.replace("guarded:", "stranger:"),
        place.address.replace(database, "nothing"),
    ):
        error = refused(Store, wrong, KEY)
        assert type(error) is StoreUnreachable
        assert "hunter2" not in _all_said(error)
    postgres.drop(address)


def test_a_server_that_goes_away(postgres):
    place = Place(postgres.fresh(), "postgres")
    gallery = place.gallery()
    gallery.enroll("Ada", vectors([1, 0]), "s")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'"

    def interrupted():
        with gallery.store.writing() as writing:
            writing.note("noted")
            postgres.run(cut)
            writing.connection.exec_driver_sql("SELECT 1")

    assert type(refused(interrupted)) is StoreUnreachable
    postgres.run(cut)
    assert [one.name for one in gallery.people()] == ["Ada"], "and comes back"
    assert check(gallery.store).problems == ()
    place.close()
    postgres.drop(place.address)


@pytest.mark.parametrize(
    "address",
    [
        "mysql://u:hunter2@h/d",
        "http://u:hunter2@h",
        "postgresql://u:hunter2@h:port/d",
        "://hunter2",
        "x y://hunter2@",
    ],
)
def test_addresses_of_no_store(address):
    error = refused(Store, address, KEY)
    assert type(error) is BadRequest
    assert "hunter2" not in _all_said(error)
    assert error.hint


def _all_said(error):
    """Everything that a traceback would show."""
    said = []
    while error is not None:
        said += [str(error), repr(error), str(getattr(error, "hint", ""))]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(said)


def test_what_a_database_says_beyond_the_first_line_is_kept_back(postgres):
    engine = connect(postgres.address("postgres"))

    def twice():
        with refusing("it"), engine.begin() as connection:
            connection.exec_driver_sql("CREATE TEMP TABLE x (name text PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO x VALUES ('Ada Secret'), ('Ada Secret')")

    error = refused(twice)
    engine.dispose()
    assert type(error) is GalleryError
    assert "Secret" not in error.message


def test_reprs_tell_nothing_of_anybody(place):
    gallery = place.gallery()
    new = newcomer("Ada Secret", [0.123456, 0.5], tags=("tag-secret",), note="note-secret")
    done = gallery.enroll_many([new], "s")
    person, faces = gallery.person("Ada Secret"), gallery.faces("Ada Secret")
    matches = gallery.identify(vectors([0.123456, 0.5]), "s")
    found, index = gallery.templates(), gallery.nearby.index()
    with gallery.store.reading() as snapshot:
        parts = [snapshot, snapshot.ring, KEY, gallery.collection, gallery.store, gallery.store.master]
        parts += [new, new.about, new.faces[0], new.faces[0].provenance, done, person, person.about, faces]
        parts += [faces[0].provenance, matches, found, index, gallery, gallery.nearby]
        text = " ".join(map(repr, parts))
        for secret in (snapshot.ring.name_key, snapshot.ring.audit_key, bytes(range(32))):
            assert repr(secret)[2:12] not in text
    for secret in ("secret", "Secret", "0.123", "photo.jpg"):
        assert secret not in text


def test_errors_of_names_do_not_name_what_was_sealed(place):
    gallery = place.gallery()
    gallery.enroll_many([newcomer("Ada", [1, 0], note="note-secret", metadata={"m": "meta-secret"})], "s")
    error = refused(gallery.edit, "Ada", metadata={"m": object()})
    assert "secret" not in _all_said(error)
    gallery.enroll("Bo", vectors([0, 1]), "s")
    assert isinstance(refused(gallery.edit, "Bo", name="Ada"), PersonExists)
