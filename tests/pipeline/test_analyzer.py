import numpy as np
import pytest

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import BadRequest, InferenceError, OutOfMemory, UnreadableImage
from mien.pipeline import analyzer
from mien.pipeline.analyzer import Analyzer


class Find:
    """Finds as many faces as the first pixel says; refuses any batch with a 13."""

    name, needs, gives = "find", frozenset(), frozenset({"box", "score"})

    def __init__(self, error=None):
        self.seen = []
        self.error = error or InferenceError("unlucky")

    def __call__(self, images, faces):
        self.seen.append([image.source for image in images])
        numbers = [int(image.rgb[0, 0, 0]) for image in images]
        if 13 in numbers:
            raise self.error
        return [
            one.with_(box=np.zeros((n, 4)), score=np.full(n, n / 100))
            for n, one in zip(numbers, faces, strict=True)
        ]


class Point:
    name, needs, gives = "point", frozenset({"box"}), frozenset({"points"})

    def __call__(self, images, faces):
        return [
            one.with_(points=np.full((len(one), 5, 2), image.width))
            for image, one in zip(images, faces, strict=True)
        ]


def picture(number, width=2, height=2, source=None):
    return Image.from_rgb(np.full((height, width, 3), number, np.uint8), source or f"{number}")


def broken(name):
    return Failure(name, UnreadableImage(f"{name} is broken"))


def sources(results):
    return [result.source for result in results]


def test_results_come_in_order_with_their_own_faces():
    results = list(Analyzer([Point(), Find()], 3).run(picture(n, width=n + 1) for n in range(8)))
    assert sources(results) == [str(n) for n in range(8)]
    for n, result in enumerate(results):
        assert isinstance(result, Analysis)
        assert (len(result.faces), result.faces.size_wh) == (n, (n + 1, 2))
        assert (result.faces.points == n + 1).all()


def test_nothing_comes_of_nothing():
    find = Find()
    assert list(Analyzer([find]).run([])) == []
    assert find.seen == []


def test_failures_keep_their_place_and_never_meet_a_stage():
    find = Find()
    items = [broken("a"), picture(1), broken("b"), broken("c"), picture(2), picture(3), broken("d")]
    results = list(Analyzer([find], 2).run(items))
    assert sources(results) == ["a", "1", "b", "c", "2", "3", "d"]
    assert [result for result in results if isinstance(result, Failure)] == [
        item for item in items if isinstance(item, Failure)
    ]
    assert [name for batch in find.seen for name in batch] == ["1", "2", "3"]


def test_only_failures():
    find = Find()
    assert sources(Analyzer([find], 2).run([broken("a"), broken("b"), broken("c")])) == ["a", "b", "c"]
    assert find.seen == []


@pytest.mark.parametrize(("batch", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_pictures_travel_in_batches(batch, sizes):
    find = Find()
    assert len(list(Analyzer([find], batch).run(map(picture, range(7))))) == 7
    assert [len(group) for group in find.seen] == sizes


def test_a_batch_holds_no_more_pixels_than_it_may(monkeypatch):
    monkeypatch.setattr(analyzer, "_MOST_PIXELS", 100)
    sides = [(5, 10), (5, 10), (1, 1), (20, 20), (9, 11), (1, 1), (1, 1)]
    find = Find()
    items = [picture(0, width, height, f"{i}") for i, (width, height) in enumerate(sides)]
    assert len(list(Analyzer([find], 8).run(items))) == 7
    # 50 + 50 | 1 | 400 alone, since it fits nowhere | 99 + 1 | 1
    assert find.seen == [["0", "1"], ["2"], ["3"], ["4", "5"], ["6"]]


@pytest.mark.parametrize("batch", [1, 4])
def test_no_more_is_read_ahead_than_one_batch(batch):
    read = []

    def endless():
        n = 0
        while True:
            read.append(n)
            yield picture(0, source=f"{n}") if n % 3 else broken(f"{n}")
            n += 1

    results = Analyzer([Find()], batch).run(endless())
    assert read == [], "nothing is read before somebody asks"
    for n in range(30):
        assert next(results).source == f"{n}"
        assert len(read) <= n + batch


def test_an_error_of_inference_hits_only_the_culprit():
    find = Find()
    results = list(Analyzer([find], 4).run([picture(1), picture(13), broken("x"), picture(2), picture(3)]))
    assert sources(results) == ["1", "13", "x", "2", "3"]
    assert [type(result) for result in results] == [Analysis, Failure, Failure, Analysis, Analysis]
    assert results[1].error is find.error
    assert find.seen == [["1", "13", "2"], ["1"], ["13"], ["2"], ["3"]]


def test_too_little_memory_for_a_batch_may_be_enough_for_one():
    class Narrow(Find):
        def __call__(self, images, faces):
            if len(images) > 1:
                raise OutOfMemory("too much")
            return super().__call__(images, faces)

    results = list(Analyzer([Narrow()], 4).run(map(picture, range(5))))
    assert [len(result.faces) for result in results] == list(range(5))


def test_a_culprit_without_a_name_is_an_array():
    image = Image.from_rgb(np.full((2, 2, 3), 13, np.uint8))
    assert sources(Analyzer([Find()]).run([image])) == ["<array>"]


def test_a_mistake_in_a_stage_is_not_taken_for_a_bad_picture():
    with pytest.raises(ZeroDivisionError):
        list(Analyzer([Find(ZeroDivisionError())]).run([picture(13)]))


def test_a_stage_that_loses_a_picture_is_found_out():
    class Careless(Find):
        def __call__(self, images, faces):
            return super().__call__(images, faces)[:-1]

    with pytest.raises(ValueError, match="shorter"):
        list(Analyzer([Careless()], 2).run([picture(1), picture(2)]))


def test_an_observer_hears_of_each_stage_and_batch():
    heard = []
    run = Analyzer([Point(), Find()], 2, lambda *what: heard.append(what)).run
    list(run([picture(1), picture(2), picture(3), broken("x"), broken("y")]))
    assert [(name, n) for name, n, _ in heard] == [("find", 2), ("point", 2), ("find", 1), ("point", 1)]
    assert all(seconds >= 0 for *_, seconds in heard)


def test_without_stages_a_picture_has_no_faces():
    (result,) = Analyzer([]).run([picture(1)])
    assert len(result.faces) == 0
    assert list(result.faces.columns()) == ["box", "score"]


def test_stages_that_do_not_fit_are_refused_before_any_picture():
    with pytest.raises(BadRequest, match="point needs box"):
        Analyzer([Point()])


def test_pixels_of_the_picture_are_the_ones_handed_in():
    image = picture(5)
    (result,) = Analyzer([Find()]).run([image])
    assert result.image is image
    assert isinstance(result.faces, Faces)
