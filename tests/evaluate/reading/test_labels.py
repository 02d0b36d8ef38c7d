import numpy as np
import pytest

from mien.core.columns import BY_NAME
from mien.errors import BadRequest
from mien.evaluate.reading.labels import read_folders, read_labels, read_utkface

GENDER, EXPRESSION = BY_NAME["gender"].labels, BY_NAME["expression"].labels


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_table_of_labels(tmp_path):
    touched(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "l.csv").write_text("photo,age,gender,expression\na.jpg,31,Female,\nb.jpg,,male,happy\n")
    found = read_labels(tmp_path / "l.csv", tmp_path)
    assert [path.name for path in found.photos] == ["a.jpg", "b.jpg"]
    np.testing.assert_array_equal(found.truth["age"], [31, np.nan])
    assert [GENDER[int(i)] for i in found.truth["gender"]] == ["female", "male"]
    np.testing.assert_array_equal(found.truth["expression"], [np.nan, EXPRESSION.index("happy")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photo\na.jpg\n", "no column to judge"),
        ("photo,age\na.jpg,old\n", "line 2: 'old' is no age"),
        ("photo,age\na.jpg,nan\n", "is no age"),
        ("photo,age\na.jpg,-1\n", "is no age"),
        ("photo,age\na.jpg,inf\n", "is no age"),
        ("photo,gender\na.jpg,f\n", "line 2: 'f' is no gender"),
        ("photo,age\nb.jpg,3\n", "not in"),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path, text, said):
    touched(tmp_path, "a.jpg")
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(BadRequest, match=said):
        read_labels(tmp_path / "l.csv", tmp_path)


def test_names_of_utkface(tmp_path):
    touched(tmp_path, "100_1_2_2017.jpg", "9_0_4_2017.jpg.chip.jpg", "61_3_2017.jpg", "53__0_2017.jpg")
    found = read_utkface(tmp_path)
    assert found.truth["age"].tolist() == [100, 9]
    assert [GENDER[int(i)] for i in found.truth["gender"]] == ["female", "male"]
    assert found.unlabelled == ("53__0_2017.jpg", "61_3_2017.jpg")
    with pytest.raises(BadRequest, match="like 31"):
        read_utkface(touched(tmp_path / "other", "a.jpg"))


def test_a_folder_for_each_label(tmp_path):
    touched(tmp_path, "Happy/a.jpg", "Happy/deep/b.jpg", "sad/c.png", "loose.jpg", "sad/notes.txt")
    found = read_folders(tmp_path, "expression")
    assert [EXPRESSION[int(i)] for i in found.truth["expression"]] == ["happy", "happy", "sad"]
    assert found.unlabelled == ("loose.jpg",)


@pytest.mark.parametrize(
    ("names", "column", "said"),
    [
        (["glad/a.jpg"], "expression", "'glad' is no expression"),
        (["a.jpg"], "expression", "no folder for each"),
        ([], "expression", "no folder"),
        (["30/a.jpg"], "age", "cannot say 'age'"),
        (["x/a.jpg"], "nonsense", "cannot say"),
    ],
)
def test_folders_that_say_nothing_are_refused(tmp_path, names, column, said):
    touched(tmp_path, *names)
    with pytest.raises(BadRequest, match=said):
        read_folders(tmp_path, column)


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="is no folder"):
        read_utkface(tmp_path / "nothing")


def test_columns_to_split_by(tmp_path):
    touched(tmp_path, *(f"{i}.jpg" for i in range(20)))
    rows = "".join(f"{i}.jpg,{20 + i},{'south' if i % 2 else ''}\n" for i in range(20))
    (tmp_path / "l.csv").write_text(f"photo,age,Origin\n{rows}")
    found = read_labels(tmp_path / "l.csv", tmp_path, ("age", "Origin"))
    assert found.truth["age"].tolist() == list(range(20, 40))
    assert found.groups["Origin"] == ["", "south"] * 10
    assert list(dict.fromkeys(found.groups["age"])) == ["20 to 24", "25 to 29", "30 to 34", "35 to 39"]
    with pytest.raises(BadRequest, match="no column light"):
        read_labels(tmp_path / "l.csv", tmp_path, ("light",))


def test_utkface_can_be_split_by_what_its_names_say(tmp_path):
    touched(tmp_path, "100_1_2_2017.jpg", "9_0_4_2017.jpg.chip.jpg", "61_3_2017.jpg")
    found = read_utkface(tmp_path, ("origin", "gender", "age"))
    assert found.groups == {"origin": ["asian", "other"], "gender": ["female", "male"], "age": ["100", "9"]}
    with pytest.raises(BadRequest, match="do not say 'light'") as caught:
        read_utkface(tmp_path, ("light",))
    assert caught.value.hint == "--by age or --by gender or --by origin"
