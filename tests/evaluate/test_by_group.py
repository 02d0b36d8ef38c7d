import numpy as np

from mien.evaluate.by_group import age_chart, age_table, rate_chart, rate_table
from mien.evaluate.measures.case_groups import ages_by_group, cases_by_group


def groups_of(label, wrong=None, **options):
    wrong = np.zeros(len(label), bool) if wrong is None else wrong
    counted = options.pop("counted", np.ones(len(label), bool))
    return cases_by_group(wrong, counted, label, "light", "bpcer", **options)


def test_a_row_and_a_bar_for_each_group():
    label = ["day"] * 200 + ["night"] * 100 + [""] * 3
    wrong = np.arange(303) % 2 == 0
    counted = np.arange(303) != 200
    table = rate_table(
        "BPCER by light", "photographs", "BPCER", {"live": groups_of(label, wrong, counted=counted)}
    )
    assert table.header == ("group", "photographs", "without a face", "BPCER")
    assert [row[:3] for row in table.rows] == [("day", "200", "0"), ("night", "100", "1")]
    assert "Worst to best BPCER: 1.01 (" in table.note
    assert "; worst day, best night)" in table.note
    assert "3 have no label" in table.note
    chart = rate_chart("t", "BPCER", {"live": groups_of(label, wrong)})
    assert chart.bars == {"day": 0.5, "night": 0.5}
    assert chart.intervals.keys() == {"day", "night"}
    assert chart.label == "light"


def test_kinds_are_told_apart_where_there_are_several():
    parts = {"mask": groups_of(["a", "b"]), "print": groups_of(["a"])}
    table = rate_table("t", "attacks", "APCER", parts, unanswered="", note="First.")
    assert table.header == ("kind", "group", "attacks", "APCER")
    assert [row[:2] for row in table.rows] == [("mask", "a"), ("mask", "b"), ("print", "a")]
    assert table.note.startswith("First. Worst to best APCER of mask: not enough cases")
    assert list(rate_chart("t", "APCER", parts).bars) == ["mask, a", "mask, b", "print, a"]


def test_more_groups_than_fit_are_in_the_table_only():
    found = groups_of([f"{i}" for i in range(100)])
    assert len(rate_table("t", "n", "r", {"": found}).rows) == 100
    chart = rate_chart("t", "r", {"": found})
    assert len(chart.bars) == 30
    assert "70 more are in the table" in chart.note


def test_years_by_group():
    label = ["a"] * 40 + ["b"] * 40 + ["c"]
    error = np.repeat([2.0, -6.0, 0.0], [40, 40, 1])
    found = ages_by_group(error, np.arange(81) < 80, label, "light")
    table = age_table(found)
    assert table.rows == [
        ("a", "40", "0", "2.00 (2.00 to 2.00)", "+2.00"),
        ("b", "40", "0", "6.00 (6.00 to 6.00)", "-6.00"),
        ("c", "1", "1", "–", "–"),
    ]
    assert "mean absolute error: 3.00 (3.00 to 3.00; worst b, best a)" in table.note
    chart = age_chart(found)
    assert chart.bars == {"a": 2, "b": 6}
    assert not chart.percent


def test_an_unbounded_ratio_is_said_so():
    wrong = np.arange(500) % 2 == 0
    label = ["a"] * 100 + ["b"] * 400
    photo = np.append(np.zeros(100, int), np.arange(1, 401))
    wrong[100:110] = True
    table = rate_table("t", "faces", "miss rate", {"": groups_of(label, wrong, photo=photo)})
    assert "(0.00 or more; worst b, best a)" in table.note
