from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadRequest
from mien.pipeline.plan import order_stages

quick = settings(deadline=None, max_examples=60, derandomize=True, database=None)


@dataclass(frozen=True)
class Step:
    name: str
    needs: frozenset
    gives: frozenset


def step(name, needs="", gives=""):
    return Step(name, frozenset(needs.split()), frozenset(gives.split()))


DETECT = step("detect", "", "box score points")
CORNERS = step("corners", "box", "corners")
EMBED = step("embed", "corners", "embedding")
AGE = step("age", "points", "age")


def names(stages):
    return [stage.name for stage in stages]


def test_no_stages_are_in_order():
    assert order_stages([]) == ()


def test_each_runs_after_what_it_needs():
    assert names(order_stages([EMBED, CORNERS, DETECT])) == ["detect", "corners", "embed"]
    assert names(order_stages([DETECT, CORNERS, EMBED])) == ["detect", "corners", "embed"]


def test_the_given_order_is_kept_where_it_can_be():
    assert names(order_stages([EMBED, AGE, DETECT, CORNERS])) == ["detect", "age", "corners", "embed"]
    assert names(order_stages([DETECT, AGE, CORNERS, EMBED])) == ["detect", "age", "corners", "embed"]


def test_points_come_before_what_could_do_without_them():
    box, pose = step("detect", "", "box score"), step("pose", "box", "pose")
    marks = step("marks", "box", "landmarks points")
    for stages in ([box, pose, marks], [box, marks, pose], [pose, marks, box]):
        assert names(order_stages(stages)) == ["detect", "marks", "pose"]


def test_a_column_given_twice_is_waited_for_twice():
    other = step("other", "box", "points")
    assert names(order_stages([AGE, other, DETECT])) == ["detect", "other", "age"]


def test_a_stage_may_improve_a_column_that_another_gives():
    refine = step("refine", "points", "points")
    assert names(order_stages([refine, DETECT])) == ["detect", "refine"]


def test_nobody_gives_what_is_needed():
    with pytest.raises(BadRequest, match="embed needs corners, which no") as caught:
        order_stages([DETECT, EMBED])
    assert "packs list" in caught.value.hint
    with pytest.raises(BadRequest, match="x needs a, b"):
        order_stages([step("x", "b a box"), DETECT])


def test_what_only_it_gives_itself_a_stage_cannot_need():
    with pytest.raises(BadRequest, match="refine needs points"):
        order_stages([step("refine", "points", "points")])


def test_a_circle_is_named():
    circle = [step("a", "y box", "x"), step("b", "x", "y"), step("c", "y", "z")]
    with pytest.raises(BadRequest, match=r"wait for each other: a, b, c\.$"):
        order_stages([DETECT, *circle])


@quick
@given(st.permutations(range(6)), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_any_plan_without_circles_is_found(order, pairs):
    edges = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    stages = [step(str(i), " ".join(f"c{a}" for a, b in edges if b == i), f"c{i}") for i in range(6)]
    found = names(order_stages([stages[i] for i in order]))
    assert sorted(found) == sorted(map(str, range(6)))
    assert all(found.index(str(a)) < found.index(str(b)) for a, b in edges)
