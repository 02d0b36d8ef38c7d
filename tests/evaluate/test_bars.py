from mien.evaluate.bars import rate_bars
from mien.evaluate.evaluation import Rate


def test_rates_without_a_value_have_no_bar():
    rates = {"a": Rate(0.5, 0.1, 0.9), "b": Rate(None, note="nothing to count"), "c": Rate(0.0)}
    bars = rate_bars("T", "kind", "share", rates)
    assert bars.bars == {"a": 0.5, "c": 0.0}
    assert bars.intervals == {"a": (0.1, 0.9)}
