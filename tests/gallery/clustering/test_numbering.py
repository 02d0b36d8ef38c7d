from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mien.gallery.clustering.numbering import number_groups

ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), min_size=1, max_size=30)


def numbers(group, previous, **more):
    return number_groups(np.array(group), np.array(previous), **more).tolist()


def test_new_groups_are_counted_in_the_order_of_their_first_faces():
    assert numbers([7, 3, 7, 1], [-1, -1, -1, -1]) == [0, 1, 0, 2]


def test_a_group_that_grows_keeps_its_number():
    assert numbers([0, 0, 0, 1], [4, 4, -1, -1]) == [4, 4, 4, 5]


def test_of_merged_groups_the_larger_gives_its_number():
    assert numbers([0, 0, 0, 0, 0], [2, 2, 9, 9, 9]) == [9] * 5


def test_of_merged_groups_of_one_size_the_older_gives_its_number():
    assert numbers([0, 0, 0, 0], [9, 9, 2, 2]) == [2] * 4


def test_of_a_split_group_the_larger_part_keeps_the_number():
    assert numbers([0, 1, 1], [3, 3, 3]) == [4, 3, 3]


def test_of_a_group_split_in_halves_the_earlier_keeps_the_number():
    assert numbers([1, 0, 1, 0], [3, 3, 3, 3]) == [3, 4, 3, 4]


def test_what_is_left_of_a_group_keeps_its_number_when_the_rest_joined_a_larger_one():
    assert numbers([0] * 7 + [1, 1], [8, 8, 8, 8, 5, 5, 5, 5, 5]) == [8] * 7 + [5, 5]


def test_fixed_numbers_win_over_larger_ones():
    held = np.array([True, False, False, False])
    assert numbers([0, 0, 0, 0], [2, 9, 9, 9], fixed=held) == [2] * 4
    # The number stays with the face that was fixed, though more faces of it are elsewhere.
    assert numbers([0, 1, 1, 1], [2, 2, 2, 2], fixed=held) == [2, 3, 3, 3]


def test_numbers_that_were_given_away_do_not_come_again():
    assert numbers([0, 1], [-1, 3], first=10) == [10, 3]
    assert numbers([0, 1], [-1, 3], first=2) == [4, 3]


@given(ROWS)
def test_numbers_are_of_the_groups_and_kept_by_the_rule(rows):
    group, previous = np.array(rows).T
    found = number_groups(group, previous)
    assert len(set(zip(group, found, strict=True))) == len(set(group)) == len(set(found))
    new = sorted(set(found) - set(previous))
    assert new == list(range(max(previous) + 1, max(previous) + 1 + len(new)))
    # Recomputed with nothing but counting: again and again, whoever shares most.
    shared = Counter((old, one) for one, old in rows if old >= 0)
    first = {one: list(group).index(one) for one in set(group)}
    wanted = {}
    while shared:
        old, one = min(shared, key=lambda pair: (-shared[pair], pair[0], first[pair[1]]))
        wanted[one] = old
        shared = {pair: n for pair, n in shared.items() if pair[0] != old and pair[1] != one}
    assert {one: wanted[one] for one in wanted} == {
        one: number for one, number in zip(group.tolist(), found.tolist(), strict=True) if one in wanted
    }
    assert [found[first[one]] for one in sorted(set(group) - set(wanted), key=first.get)] == new
