import pytest

from server.described import Document
from server.serving import served


@pytest.fixture(scope="module")
def server(mien_home, tmp_path_factory):
    """A server that needs no key, with the starter packs; for all tests of a file, which share its store."""
    with served(tmp_path_factory.mktemp("served"), mien_home) as found:
        yield found


@pytest.fixture
def serve(mien_home, tmp_path):
    """Start a server with settings of one's own: `with serve(server={...}) as found`."""
    return lambda **choices: served(tmp_path / "served", mien_home, **choices)


@pytest.fixture(scope="session")
def ada(photos):
    """Photographs of one person, as bytes."""
    folder = sorted(path for path in (photos / "known").iterdir() if path.is_dir())[0]
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def api(server):
    """The client of that server; whatever is answered has to be as `/openapi.json` says."""
    document = Document(server.client.get("/openapi.json").json())
    server.client.event_hooks = {"response": [document.check]}
    return server.client
