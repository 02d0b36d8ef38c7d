import pytest

from mien.errors import BadRequest
from mien.evaluate.reading.people import read_groups, read_names, read_people


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "people"
    for name in ("ada/1.jpg", "ada/2.jpg", "bob/1.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "eve.jpg").touch()
    return root


def test_a_folder_for_each_person(folder):
    found = read_people(folder)
    assert [path.relative_to(folder).as_posix() for path in found.photos] == [
        "ada/1.jpg", "ada/2.jpg", "bob/1.jpg", "eve.jpg",
    ]  # fmt: skip
    assert found.person.tolist() == [0, 0, 1, 2]
    assert found.names == ("ada", "bob", "eve")


def test_no_folder_and_an_empty_one_are_refused(tmp_path):
    with pytest.raises(BadRequest, match="not a folder"):
        read_people(tmp_path / "none")
    with pytest.raises(BadRequest, match="no pictures"):
        read_people(tmp_path)


@pytest.fixture
def labelled(folder, tmp_path):
    def call(text, *columns):
        file = tmp_path / "labels.csv"
        file.write_text(text, "utf-8")
        people = read_people(folder)
        return read_groups(file, columns, people.photos, [people.names[i] for i in people.person])

    return call


def test_labels_of_people(labelled):
    found = labelled("person,sex,age\nada,f,36\neve,f,\n", "age", "sex")
    assert found == {"age": ["36", "36", "", ""], "sex": ["f", "f", "", "f"]}


def test_labels_of_photographs_go_by_the_longest_end_of_a_path(labelled):
    found = labelled("photo,light\n1.jpg,any\nada/1.jpg,day\n\neve.jpg,night\n", "light")
    assert found == {"light": ["day", "", "any", "night"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "sex"),
        ("who,sex\nada,f\n", "photo or person"),
        ("person,age\nada,3\n", "sex"),
        ("person,sex\nada\n", "line 2"),
        ("person,sex\nada,f\nada,m\n", "line 3"),
        ("person,sex\nzoe,f\n", "nothing"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labelled, text, says):
    with pytest.raises(BadRequest, match=says):
        labelled(text, "sex")


def test_a_list_of_names(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text(" bob \n\nada\nbob\n", "utf-8")
    assert read_names(file, ["ada", "bob"]) == [1, 0]
    with pytest.raises(BadRequest, match="bob"):
        read_names(file, ["ada"])


def test_years_become_ranges(tmp_path):
    photos = [tmp_path / f"{i}.jpg" for i in range(40)]
    file = tmp_path / "labels.csv"
    file.write_text("photo,Age,sex\n" + "".join(f"{i}.jpg,{i + 1},f\n" for i in range(36)), "utf-8")
    found = read_groups(file, ["Age", "sex"], photos)
    assert set(found["Age"]) == {"1 to 9", "10 to 18", "19 to 27", "28 to 36", ""}
    assert set(found["sex"]) == {"f", ""}


@pytest.mark.parametrize(
    ("text", "says"),
    [("person,sex\n,f\n", "no column photo"), ("photo,sex\na.jpg,\n", "column sex has no label")],
)
def test_tables_that_label_no_photograph_are_refused(tmp_path, text, says):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(BadRequest, match=says):
        read_groups(tmp_path / "l.csv", ["sex"], [tmp_path / "a.jpg"])
