import pytest

from mien.errors import BadRequest
from mien.media.rows import find_photos, read_rows


def written(folder, text, encoding="utf-8"):
    file = folder / "list.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return file


def test_columns_are_found_by_name_whatever_their_order_and_case(tmp_path):
    text = 'KIND, Photo ,more\r\nlive,"a, b.jpg",1\r\n\r\n真,c.jpg,2\r\n'
    rows = read_rows(written(tmp_path, text, "utf-8-sig"), ("photo", "kind"), ("face",))
    assert [(row.line, dict(row.cells)) for row in rows] == [
        (2, {"photo": "a, b.jpg", "kind": "live"}),
        (4, {"photo": "c.jpg", "kind": "真"}),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: there is no column photo"),
        ("photo\n", "has no rows"),
        ("picture,kind\na,b\n", "no column photo"),
        ("photo,photo\na,b\n", "two columns photo"),
        ("photo,kind\na,b\nc\n", "line 3: 1 cells under 2 columns"),
        ('photo\n"a\n', "line 2"),
        ("photo\n" + "x" * 200_000, "line 2: field larger"),
        (b"photo\n\xff\xfe\n", "no text in UTF-8"),
    ],
)
def test_what_is_no_table_is_refused_by_line(tmp_path, text, said):
    with pytest.raises(BadRequest, match=said) as caught:
        read_rows(written(tmp_path, text), ("photo",))
    assert "list.csv" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="cannot be read"):
        read_rows(tmp_path / "nothing.csv", ("photo",))


def test_photographs_are_found_within_the_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").touch()
    assert find_photos(tmp_path, ["in/a.jpg"], tmp_path / "x.csv") == (tmp_path / "in" / "a.jpg",)


@pytest.mark.parametrize("name", ["", "/etc/hostname", "../x.jpg", "in/../../x.jpg"])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name):
    with pytest.raises(BadRequest, match="outside"):
        find_photos(tmp_path, [name], tmp_path / "x.csv")


def test_missing_photographs_are_counted_and_the_first_are_named(tmp_path):
    (tmp_path / "a.jpg").touch()
    names = ["a.jpg", "b\x1b.jpg", "c.jpg", "d" * 5000, "e\0.jpg"]
    with pytest.raises(BadRequest, match=r"4 of 5 .* b\\x1b.jpg, c.jpg, d{200}, \.\.\.") as caught:
        find_photos(tmp_path, names, tmp_path / "x.csv")
    assert caught.value.hint
    with pytest.raises(BadRequest, match="is no folder"):
        find_photos(tmp_path / "a.jpg", ["a.jpg"], tmp_path / "x.csv")
