import shutil

import pytest

from e2e.browser import film_of, open_console
from e2e.site import running_site

AXE = ".oracles/axe/axe.min.js"


@pytest.fixture(scope="session")
def chromium(photos, tmp_path_factory):
    """A browser whose camera shows a film of real photographs; or skip."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: make test-e2e")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium, which this machine does not have")
    known = sorted((photos / "known").glob("*/*.jpg"))
    film = film_of(
        [one for one in known[:3] for _ in range(30)], tmp_path_factory.mktemp("film") / "film.mjpeg"
    )
    camera = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", *camera])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(chromium, mien_home, tmp_path_factory):
    """A server with the starter packs and an empty store, for all tests of a file; it needs no key."""
    with running_site(tmp_path_factory.mktemp("site") / "home", mien_home) as found:
        yield found


@pytest.fixture
def visit(chromium, site):
    """Open the console: `visit("phone", language="zh", dark=True)`; afterwards no complaint may be left."""
    opened = []

    def open_one(size="desk", **more):
        opened.append(open_console(chromium, site.url, size=size, **more))
        return opened[-1]

    yield open_one
    unexpected = [complaint for console in opened for complaint in console.unexpected()]
    for console in opened:
        console.page.context.close()
    assert unexpected == []


@pytest.fixture(params=["phone", "desk"])
def console(request, visit):
    """The console, on a phone and on a desk."""
    return visit(request.param)


@pytest.fixture(scope="session")
def axe(request):
    """The source of axe-core, or skip: `make test-e2e` fetches it."""
    path = request.config.rootpath / AXE
    if not path.is_file():
        pytest.skip(f"needs {AXE}: make test-e2e")
    return path.read_text()
