"""Fixtures that many rooms need: real photographs, real weights, a home of one's own."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from mien import Mien, load_settings
from mien.packs.builtin import builtin_sets
from mien.packs.store import PackStore

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / "examples" / "photos"


@pytest.fixture(scope="session")
def shared():
    """Find a file or folder of `../shared`, or skip: it holds real data that is never committed."""

    def find(path: str) -> Path:
        found = ROOT.parent / "shared" / path
        if not found.exists():
            pytest.skip(f"needs ../shared/{path}, which this machine does not have")
        return found

    return find


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of public-domain demo photographs."""
    return PHOTOS


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20260521)


@pytest.fixture(scope="session")
def starter_files() -> Path:
    """The folder of site-packages that holds the starter's weights, or skip."""
    try:
        found = metadata.distribution("face_recognition_models")
        metadata.distribution("mtcnn")
    except metadata.PackageNotFoundError as missing:
        pytest.skip(f"needs the extra mien[starter]: {missing}")
    return Path(str(found.locate_file("")))


@pytest.fixture(scope="session")
def mien_home(starter_files, tmp_path_factory) -> Path:
    """A home in which the whole starter set is installed, once for all tests."""
    home = tmp_path_factory.mktemp("home")
    store = PackStore(home / "packs")
    for name in store.expand(["starter"]):
        store.install(name)
    return home


@pytest.fixture(scope="session")
def kit(mien_home) -> Mien:
    """A `Mien` on the installed starter set, with an empty gallery: do not enrol into it."""
    return Mien(load_settings(environ={}, home=mien_home, store="memory"))


@pytest.fixture(scope="session")
def modern_home(shared, mien_home, tmp_path_factory) -> Path:
    """A home with every pack whose files are mirrored here, beside the starter set."""
    mirrors = {folder: shared(f"models/{folder}") for folder in ("open", "research")}
    home = tmp_path_factory.mktemp("modern")
    (home / "packs").mkdir()
    for pack in (mien_home / "packs").iterdir():
        (home / "packs" / pack.name).symlink_to(pack)
    sets = builtin_sets().sets
    for names, folder in (("open", "open"), ("open-more", "open"), ("research", "research")):
        store = PackStore(home / "packs", f"file:{mirrors[folder]}")
        for name in sets[names]:
            store.install(name, accept_licence=True)
    return home


@pytest.fixture(scope="session")
def modern_kit(modern_home) -> Mien:
    """A `Mien` on all of them: do not enrol into it."""
    return Mien(load_settings(environ={}, home=modern_home, store="memory"))
