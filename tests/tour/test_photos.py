import json
from pathlib import Path

import pytest

from mien.errors import BadRequest
from mien.tour.photos import demo_photos, read_album


def test_a_source_checkout_has_them_in_its_examples(photos):
    assert demo_photos() == photos


def test_a_wheel_has_them_beside_the_module(tmp_path):
    wheel, checkout = tmp_path / "mien" / "tour" / "photos", tmp_path / "examples" / "photos"
    for place in (wheel, checkout):
        (place / "known").mkdir(parents=True)
    assert demo_photos((wheel, checkout)) == wheel


def test_without_them_the_error_says_where_it_looked(tmp_path):
    with pytest.raises(BadRequest, match="nowhere") as caught:
        demo_photos((tmp_path / "nowhere", tmp_path / "neither"))
    assert "wheel" in caught.value.hint


def test_an_album_has_people_by_folder_and_the_rest(tmp_path):
    for name in (
        "known/Ada/2.jpg",
        "known/Ada/1.jpg",
        "known/Bo/x.png",
        "known/notes.txt",
        "unknown/z.jpg",
        "y.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "known" / "Empty").mkdir()
    album = read_album(tmp_path)
    names = {person: [path.name for path in paths] for person, paths in album.known.items()}
    assert names == {"Ada": ["1.jpg", "2.jpg"], "Bo": ["x.png"]}
    assert [path.name for path in album.unknown] == ["z.jpg"]


def test_an_album_without_people_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="no pictures"):
        read_album(tmp_path)


def test_the_table_of_sources_lists_every_photograph(photos):
    readme = (photos / "README.md").read_text("utf-8")
    files = [path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg")]
    assert len(files) >= 8
    assert [name for name in files if f"`{name}`" not in readme] == []


def test_the_photographs_are_small_and_carry_no_metadata(photos):
    files = list(photos.rglob("*.jpg"))
    assert sum(path.stat().st_size for path in files) < 1_000_000
    assert [path for path in files if b"Exif\0" in path.read_bytes()] == []


def test_every_photograph_to_look_at_has_its_truth(photos):
    truth = json.loads((photos / "truth.json").read_text("utf-8"))
    assert sorted(truth) == [path.name for path in read_album(photos).unknown]
    assert {name for names in truth.values() for name in names if name} <= set(read_album(photos).known)


def test_links_out_of_the_folder_are_not_needed(photos):
    assert not any(Path(path).is_symlink() for path in photos.rglob("*"))
