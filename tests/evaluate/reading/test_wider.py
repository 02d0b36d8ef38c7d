import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.evaluate.reading.wider import read_wider

# As the published files have it: invalid is the eighth number, and a row of zeros where there is no face.
PUBLISHED = """0--Parade/0_Parade_1.jpg
2
449 330 122 149 0 0 0 0 0 0 
361 98 263 339 0 0 0 1 0 0 
0--Parade/0_Parade_452.jpg
0
0 0 0 0 0 0 0 0 0 0 
1--Handshaking/with a space.jpg
2
10 20 0 7 2 0 0 0 2 0 
1 2 3.5 4 
"""  # noqa: W291


def test_boxes_invalid_ones_and_photographs_without_faces():
    found = read_wider(PUBLISHED, "gt.txt")
    assert list(found) == [
        "0--Parade/0_Parade_1.jpg",
        "0--Parade/0_Parade_452.jpg",
        "1--Handshaking/with a space.jpg",
    ]
    first, none, last = found.values()
    assert first.faces.tolist() == [[449, 330, 571, 479]]
    assert first.ignored.tolist() == [[361, 98, 624, 437]]
    assert (len(none.faces), len(none.ignored)) == (0, 0)
    assert last.faces.tolist() == [[1, 2, 4.5, 6]]
    assert last.ignored.tolist() == [[10, 20, 10, 27]]


def test_the_row_of_zeros_may_be_left_out():
    found = read_wider("a.jpg\n0\nb.jpg\n1\n1 2 3 4\n", "gt.txt")
    assert [len(marked.faces) for marked in found.values()] == [0, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no photograph"),
        ("a.jpg", "line 2: '' is no number"),
        ("a.jpg\nb.jpg\n", "line 2: 'b.jpg' is no number"),
        ("a.jpg\n-1\n", "line 2"),
        ("a.jpg\n²\n", "line 2"),
        ("a.jpg\n3\n1 2 3 4\n", "ends before the 3 faces"),
        ("a.jpg\n" + "9" * 5000, "line 2"),
        ("a.jpg\n1\n1 2 3\n", "line 3: '1 2 3' is no face"),
        ("a.jpg\n1\n1 2 -3 4\n", "line 3"),
        ("a.jpg\n1\n1 2 nan 4\n", "line 3"),
        ("a.jpg\n1\n1 2 inf 4\n", "line 3"),
        ("a.jpg\n1\n1 2 3 x\n", "line 3"),
        ("a.jpg\n1\n1 2 3 4\na.jpg\n0\n", "line 4: 'a.jpg' is listed twice"),
    ],
)
def test_anything_else_is_refused_by_line(text, said):
    with pytest.raises(BadRequest, match=said):
        read_wider(text, "gt.txt")


@given(st.text("a0 1.\n-e9", max_size=60))
def test_no_text_breaks_it(text):
    try:
        found = read_wider(text, "gt.txt")
    except BadRequest:
        return
    assert found
