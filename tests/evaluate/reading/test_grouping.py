import pytest

from mien.errors import BadRequest
from mien.evaluate.reading.grouping import read_grouping


def written(folder, text):
    file = folder / "g.csv"
    file.write_text(text)
    return file


def test_faces_are_called_by_photograph_and_number(tmp_path):
    found = read_grouping(written(tmp_path, "photo,face,person\na.jpg,0,Ada\na.jpg,1,Grace\n"), "person")
    assert found == {("a.jpg", "0"): "Ada", ("a.jpg", "1"): "Grace"}
    assert read_grouping(written(tmp_path, "cluster,photo\n4,a.jpg\n"), "cluster") == {("a.jpg", ""): "4"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photo,person\na.jpg,Ada\na.jpg,Ada\n", "line 3: this face was there before"),
        ("photo,person\na.jpg,\n", "line 2: photo or person is empty"),
        ("photo,person\n,Ada\n", "line 2: photo or person is empty"),
        ("photo,cluster\na.jpg,1\n", "no column person"),
    ],
)
def test_what_groups_nothing_is_refused(tmp_path, text, said):
    with pytest.raises(BadRequest, match=said):
        read_grouping(written(tmp_path, text), "person")
