import shutil
from datetime import UTC, datetime

import pytest

from mien import Mien
from mien.runtime.machine import Machine
from mien.settings import load_settings
from mien.tour.photos import read_album
from mien.tour.report import report_page
from mien.tour.stopwatch import Stopwatch
from mien.tour.tour import run_tour


@pytest.fixture(scope="session")
def machine():
    return Machine(mien="1.2.3", onnxruntime="1.20", python="CPython 3.11", system="Linux x86_64", cores=2)


@pytest.fixture(scope="session")
def take_tour(mien_home, tmp_path_factory):
    """Run a tour of a folder; gives the tour, what the stopwatch saw, and the folder written to."""

    def take(folder):
        watch, out = Stopwatch(), tmp_path_factory.mktemp("tour")
        kit = Mien(load_settings(environ={}, home=mien_home, store="memory"), observe=watch)
        return run_tour(kit, read_album(folder), out, watch), watch, out

    return take


@pytest.fixture(scope="session")
def demo(take_tour, photos):
    """The tour of the demo photographs."""
    return take_tour(photos)


@pytest.fixture(scope="session")
def odd(take_tour, photos, tmp_path_factory):
    """A tour of people with hostile names and of files that are no pictures."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "known" / "<b>x<").mkdir(parents=True)
    (folder / "known" / "Nobody & Co").mkdir()
    (folder / "unknown").mkdir()
    shutil.copy(photos / "known" / "Grace Hopper" / "portrait.jpg", folder / "known" / "<b>x<" / '"><i>.jpg')
    shutil.copy(photos / "unknown" / "rocket.jpg", folder / "known" / "Nobody & Co" / "rocket.jpg")
    shutil.copy(photos / "known" / "Grace Hopper" / "portrait.jpg", folder / "unknown" / "again.jpg")
    (folder / "unknown" / "broken.png").write_bytes(b"<script>alert(1)</script>")
    return take_tour(folder)


@pytest.fixture
def page(machine):
    """Lay out the report of a tour."""

    def lay_out(tour, watch, command="mien demo"):
        return report_page(tour, watch.timings(), machine, command, datetime(2026, 5, 21, 12, 30, tzinfo=UTC))

    return lay_out
