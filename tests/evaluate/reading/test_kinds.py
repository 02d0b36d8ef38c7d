import pytest

from mien.errors import BadRequest
from mien.evaluate.reading.kinds import read_kinds, read_kinds_from, says_kinds


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("live", ["live", "bona_fide", "Bonafide", "real"])
def test_a_folder_for_each_kind(tmp_path, live):
    touched(tmp_path, f"{live}/a.jpg", "print/b.jpg", "print/more/c.jpg", "screen 真/d.png")
    found = read_kinds(tmp_path)
    kinds = {path.name: kind for path, kind in zip(found.photos, found.kind, strict=True)}
    assert kinds == {"a.jpg": "live", "b.jpg": "print", "c.jpg": "print", "d.png": "screen 真"}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["live/a.jpg"], "no photographs of attacks"),
        (["print/a.jpg"], "no photographs of live"),
        (["live/a.txt", "print/a.jpg"], "no photographs of live"),
        ([], "no photographs of live"),
        (["live/a.jpg", "print/a.jpg", "b.jpg"], "b.jpg lies in no folder"),
    ],
)
def test_folders_that_lack_a_kind_are_refused(tmp_path, names, said):
    with pytest.raises(BadRequest, match=said) as caught:
        read_kinds(touched(tmp_path, *names))
    assert caught.value.hint
    with pytest.raises(BadRequest, match="no folder"):
        read_kinds(tmp_path / "nothing")


def test_a_table_of_kinds(tmp_path):
    touched(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "l.csv").write_text("photo,kind\na.jpg,REAL\nb.jpg,mask\n")
    found = read_kinds_from(tmp_path / "l.csv", tmp_path)
    assert found.kind == ("live", "mask")
    assert [path.name for path in found.photos] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a.jpg,live\na.jpg,print\n", "line 3: the photograph of line 2 again"),
        ("a.jpg,live\nb.jpg,\n", "line 3: the kind is empty"),
        ("a.jpg,live\n", "no photographs of attacks"),
        ("a.jpg,live\nc.jpg,print\n", "not in"),
    ],
)
def test_tables_that_cannot_be_are_refused(tmp_path, rows, said):
    touched(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "l.csv").write_text(f"photo,kind\n{rows}")
    with pytest.raises(BadRequest, match=said):
        read_kinds_from(tmp_path / "l.csv", tmp_path)


@pytest.mark.parametrize(
    ("text", "says"), [("photo, Kind \n", True), ("photo,kinds\n", False), ("", False), ("a\nkind\n", False)]
)
def test_whether_a_table_says_kinds(tmp_path, text, says):
    (tmp_path / "k.csv").write_text(text)
    assert says_kinds(tmp_path / "k.csv") is says
