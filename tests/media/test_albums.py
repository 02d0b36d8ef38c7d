import pytest

from mien.errors import BadRequest
from mien.media.albums import pictures_by_person


def test_a_folder_or_a_file_for_each_person(tmp_path):
    for name in ("Ada/b.jpg", "Ada/deep/a.png", "Bob.jpg", "notes.txt", ".hidden/x.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = pictures_by_person(tmp_path)
    assert {name: [path.name for path in paths] for name, paths in found.items()} == {
        "Ada": ["b.jpg", "a.png"],
        "Bob": ["Bob.jpg"],
    }


def test_what_holds_nobody_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadRequest):
            pictures_by_person(folder)
