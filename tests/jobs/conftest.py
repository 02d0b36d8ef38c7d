import pytest

from gallery.conftest import lasting, place, postgres  # noqa: F401 - fixtures
from gallery.known import KEY
from jobs.working import Kit, make_collection
from mien.gallery.store.store import Store


@pytest.fixture
def store(tmp_path):
    """A store in a file, with an empty collection."""
    with Store(str(tmp_path / "kept" / "people.db"), KEY) as opened:
        make_collection(opened, "people")
        yield opened


@pytest.fixture
def kit(store):
    return Kit(store)
