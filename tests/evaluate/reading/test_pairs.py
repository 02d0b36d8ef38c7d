from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.evaluate.reading.pairs import read_pairs


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    for name, count in (("Ada", 3), ("Bob_Lee", 2), ("Eve", 1)):
        (folder / name).mkdir(parents=True)
        for number in range(1, count + 1):
            (folder / name / f"{name}_{number:04d}.jpg").touch()
    return folder


@pytest.fixture
def read(tmp_path, images):
    def call(text, **kind):
        file = tmp_path / "pairs.txt"
        file.write_bytes(text) if isinstance(text, bytes) else file.write_text(text, "utf-8")
        return read_pairs(file, images)

    return call


LFW = "2\t1\nAda\t1\t3\nAda\t2\tBob_Lee\t1\nBob_Lee\t1\t2\nEve\t1\tAda\t1\n"


def test_the_format_of_lfw(read):
    found = read(LFW)
    named = [(found.photos[a].name, found.photos[b].name) for a, b in found.pairs]
    assert named == [
        ("Ada_0001.jpg", "Ada_0003.jpg"),
        ("Ada_0002.jpg", "Bob_Lee_0001.jpg"),
        ("Bob_Lee_0001.jpg", "Bob_Lee_0002.jpg"),
        ("Eve_0001.jpg", "Ada_0001.jpg"),
    ]
    assert found.same.tolist() == [True, False, True, False]
    assert found.fold.tolist() == [0, 0, 1, 1]
    assert found.folds() is found.fold
    assert [found.names[number] for number in found.person] == [path.parent.name for path in found.photos]


def test_one_number_on_the_first_line_means_no_folds(read):
    found = read(LFW.replace("2\t1\n", "2\n"))
    assert found.fold is None
    assert len(set(found.folds().tolist())) == 3  # folds of the people that pairs begin with


def test_photographs_may_lie_side_by_side(tmp_path, read, images):
    for path in list(images.glob("*/*.jpg")):
        path.rename(images / path.name)
    assert all(path.parent == images for path in read(LFW).photos)


def test_a_table_of_pairs(tmp_path, images):
    file = tmp_path / "pairs.csv"
    file.write_text(
        "one,other,same\nAda/Ada_0001.jpg,Ada/Ada_0002.jpg,yes\n\nAda/Ada_0002.jpg,Ada/Ada_0003.jpg,TRUE\n"
        "Eve/Eve_0001.jpg, Bob_Lee/Bob_Lee_0001.jpg,0\n",
        "utf-8-sig",
    )
    found = read_pairs(file, images)
    assert [path.name for path in found.photos] == [
        "Ada_0001.jpg", "Ada_0002.jpg", "Ada_0003.jpg", "Eve_0001.jpg", "Bob_Lee_0001.jpg",
    ]  # fmt: skip
    # Who is the same as somebody who is the same as somebody is one person.
    assert len(set(found.person[:3].tolist())) == 1
    assert len(set(found.person.tolist())) == 3
    assert found.same.tolist() == [True, True, False]
    assert found.fold is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("ten folds\n", "line 1"),
        ("1 2 3\n", "line 1"),
        ("2\t1\nAda\t1\t3\n", "has 1"),
        ("1\t1\nAda\t1\tx\nAda\t1\tEve\t1\n", "line 2"),
        ("1\t1\nAda\t1\t3\nAda\t1\n", "line 3"),
        ("1\t1\nAda\t1\t9\nAda\t1\tEve\t1\n", "Ada_0009"),
        ("1\t1\n../../etc\t1\t2\nAda\t1\tEve\t1\n", "etc"),
        ("a,b,same\n", "no pair"),
        ("a,b,same\nx.jpg,y.jpg,perhaps\n", "line 2"),
        ("a,b,same\nx.jpg,y.jpg\n", "line 2"),
        ("a,b,same\nx.jpg,y.jpg,yes\n", "x.jpg"),
        ("a,b,same\n/etc/passwd,y.jpg,yes\n", "/etc/passwd"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_what_is_no_list_of_pairs_is_refused(read, text, says):
    with pytest.raises(BadRequest, match=says):
        read(text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadRequest, match="cannot be read"):
        read_pairs(tmp_path / "none.txt", tmp_path)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_rubbish_is_refused_in_words(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("rubbish")
    (folder / "pairs.txt").write_bytes(content)
    with pytest.raises(BadRequest):
        read_pairs(folder / "pairs.txt", folder)


def test_the_pairs_of_lfw(shared):
    folder = shared("data/lfw")
    found = read_pairs(folder / "pairs.txt", folder / "images")
    assert len(found.photos) == 7701
    assert len(found.pairs) == 6000
    # Ten folds, each of 300 pairs of one person followed by 300 of two.
    assert found.same.reshape(10, 2, 300).all(2).tolist() == [[True, False]] * 10
    assert not found.same.reshape(10, 2, 300)[:, 1].any()
    assert np.bincount(found.fold).tolist() == [600] * 10
    people = [{*found.person[found.pairs[found.fold == i]].ravel().tolist()} for i in range(10)]
    assert not any(one & other for one, other in pairwise(people))
