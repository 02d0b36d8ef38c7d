from datetime import date
from pathlib import Path

import pytest

from mien.errors import BadRequest
from mien.people.enrolling import Told
from mien.people.lists import Listed, people_of_folder, people_of_table, read_date, read_metadata


@pytest.fixture
def table(tmp_path):
    def written(text):
        file = tmp_path / "people.csv"
        file.write_text(text, "utf-8")
        return file

    return written


def test_a_folder_per_person(tmp_path, photos):
    (tmp_path / "Ada").mkdir()
    for name in ("Ada/1.jpg", "Bo.jpg"):
        (tmp_path / name).symlink_to(photos / "unknown" / "rocket.jpg")
    assert people_of_folder(tmp_path) == (
        Listed(Told("Ada"), (tmp_path / "Ada" / "1.jpg",)),
        Listed(Told("Bo"), (tmp_path / "Bo.jpg",)),
    )


def test_a_table_says_all_that_can_be_said(table):
    file = table(
        "name,photo,tags,metadata,consent_note,consent_until\n"
        'Ada,a1.jpg,"x; y;x","{""team"": 1}",signed,2030-12-31\n'
        'Ada,sub/a2.jpg,y;x,"{""team"": 1}",signed,2030-12-31\n'
        "陳,/abs/c.jpg,,,,\n"
    )
    ada = Told("Ada", ("x", "y"), {"team": 1}, "signed", date(2030, 12, 31))
    folder = file.parent
    assert people_of_table(file) == (
        Listed(ada, (folder / "a1.jpg", folder / "sub" / "a2.jpg")),
        Listed(Told("陳"), (Path("/abs/c.jpg"),)),
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Ada,", "no photo"),
        (",a.jpg", "name"),
        ("Ada,a.jpg,,,,tomorrow", "no date"),
        ("Ada,a.jpg,,[1],,", "no JSON object"),
        ("Ada,a.jpg," + "t" * 101 + ",,,", "1 to 100"),
    ],
)
def test_a_cell_that_cannot_be_understood_is_named_with_its_line(table, row, said):
    cells = row.split(",")
    file = table(
        "name,photo,tags,metadata,consent_note,consent_until\nBo,b.jpg,,,,\n"
        + ",".join([*cells, *[""] * (6 - len(cells))])
        + "\n"
    )
    with pytest.raises(BadRequest, match=said) as caught:
        people_of_table(file)
    assert "line 3" in str(caught.value)


def test_two_rows_must_not_say_different_things_about_one_person(table):
    file = table("name,photo,tags\nAda,1.jpg,x\nAda,2.jpg,y\n")
    with pytest.raises(BadRequest, match=r"line 3.*something else about 'Ada'"):
        people_of_table(file)


@pytest.mark.parametrize("text", ["", "name\nAda\n", "name,photo\n", "photo,person\n1,2\n"])
def test_what_is_no_such_table(table, text):
    with pytest.raises(BadRequest):
        people_of_table(table(text))


def test_nothing_said_is_nothing_known():
    assert (read_date(" "), read_metadata(" ")) == (None, {})


@pytest.mark.parametrize("text", ["[]", "1", "{", '{"a": }', "[" * 5000])
def test_metadata_is_an_object(text):
    with pytest.raises(BadRequest, match="no JSON object"):
        read_metadata(text)
