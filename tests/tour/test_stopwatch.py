import pytest

from mien.tour.stopwatch import Stopwatch, Timing


def test_runs_of_a_stage_add_up_in_the_order_of_the_first():
    watch = Stopwatch()
    watch("find", 2, 0.5)
    watch("embed", 1, 1.0)
    watch("find", 3, 0.25)
    assert watch.timings() == (Timing("find", 5, 0.75), Timing("embed", 1, 1.0))


def test_a_block_that_raises_is_measured_too():
    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"), watch.measure("decode"):
        raise ValueError("no")
    (timing,) = watch.timings()
    assert (timing.stage, timing.pictures) == ("decode", 1)
    assert timing.time_s > 0
