import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score, roc_curve

from mien.errors import BadRequest
from mien.evaluate.measures.rates import area_under_roc, equal_error_rate, error_curve, threshold_at_fmr

INF = float("inf")
# Few values, so that there are ties.
distances = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.4, 0.7, 0.9, INF]), min_size=1, max_size=40)


@given(distances, distances.filter(lambda found: min(found) < INF))
def test_rates_are_counts(genuine, impostor):
    curve = error_curve(np.array(genuine), np.array(impostor))
    made = [d for d in impostor if d < INF]
    for threshold, fmr, fnmr in zip(curve.threshold, curve.fmr, curve.fnmr, strict=True):
        assert fmr == pytest.approx(sum(d <= threshold for d in made) / len(made))
        assert fnmr == pytest.approx(sum(d > threshold for d in genuine) / len(genuine))
    assert (curve.fmr[0], curve.fnmr[0]) == (0, 1)
    assert set(curve.threshold[1:]) == {d for d in [*genuine, *made] if d < INF}


@given(
    st.lists(st.floats(0, 2), min_size=2, max_size=60), st.lists(st.floats(0.0, 3), min_size=2, max_size=60)
)
def test_the_equal_error_rate_is_where_the_roc_meets_the_diagonal(genuine, impostor):
    # The usual recipe with scikit-learn and SciPy, on similarities.
    truth = [1] * len(genuine) + [0] * len(impostor)
    fpr, tpr, _ = roc_curve(truth, [-d for d in [*genuine, *impostor]], drop_intermediate=False)
    line = interp1d(fpr, tpr)
    if len(np.unique(fpr)) == len(fpr):  # a curve that jumps meets the diagonal within the jump
        oracle = brentq(lambda x: 1 - x - line(x), 0, 1)
        rate, _ = equal_error_rate(error_curve(np.array(genuine), np.array(impostor)))
        assert rate == pytest.approx(oracle, abs=1e-9)


def test_equal_error_rates_of_known_distributions(rng):
    # Two normals a distance of 2 apart: the rate is the normal tail beyond 1.
    genuine, impostor = rng.normal(0, 1, 200_000), rng.normal(2, 1, 200_000)
    rate, threshold = equal_error_rate(error_curve(genuine, impostor))
    assert rate == pytest.approx(0.158655, abs=0.002)
    assert threshold == pytest.approx(1, abs=0.02)
    assert equal_error_rate(error_curve(np.array([0.1, 0.2]), np.array([0.8, 0.9])))[0] == 0
    assert equal_error_rate(error_curve(np.array([0.8, 0.9]), np.array([0.1, 0.2])))[0] == 1


def test_faces_that_are_never_found_keep_the_rates_from_meeting():
    rate, threshold = equal_error_rate(error_curve(np.array([0.1, INF, INF, INF]), np.array([0.2, INF, INF])))
    assert rate == pytest.approx(0.75)
    assert threshold == pytest.approx(0.2)


@given(distances, distances.filter(lambda found: min(found) < INF))
def test_the_area_is_scikit_learns(genuine, impostor):
    made = [d for d in impostor if d < INF]
    scores = [-min(d, 10.0) for d in [*genuine, *made]]
    oracle = roc_auc_score([1] * len(genuine) + [0] * len(made), scores)
    assert area_under_roc(np.array(genuine), np.array(impostor)) == pytest.approx(oracle)


@given(distances.filter(lambda found: min(found) < INF), st.floats(0, 1))
def test_no_larger_threshold_keeps_the_rate(impostor, rate):
    for kind in (np.float32, np.float64):
        array = np.array(impostor, kind)
        made = array[np.isfinite(array)]
        threshold = threshold_at_fmr(array, rate)
        assert (made <= threshold).mean() <= rate + 1e-12
        beyond = made[made > threshold]
        if len(beyond):
            assert (made <= beyond.min()).mean() > rate - 1e-12


def test_rates_such_as_a_tenth_allow_what_they_say():
    impostor = np.arange(30, dtype=np.float32)
    assert (impostor <= threshold_at_fmr(impostor, 0.1)).sum() == 3
    assert (impostor <= threshold_at_fmr(impostor, 0.3)).sum() == 9
    assert threshold_at_fmr(impostor, 1) == 29


@pytest.mark.parametrize(
    ("genuine", "impostor"),
    [([], [0.1]), ([0.1], []), ([float("nan")], [0.1]), ([0.1], [float("nan")]), ([0.1], [INF])],
)
def test_one_empty_kind_or_no_number_is_refused(genuine, impostor):
    with pytest.raises(BadRequest):
        error_curve(np.array(genuine), np.array(impostor))


@pytest.mark.parametrize(("impostor", "rate"), [([], 0.1), ([INF], 0.1), ([0.5], -0.1), ([0.5], 1.1)])
def test_thresholds_want_comparisons_and_a_share(impostor, rate):
    with pytest.raises(BadRequest):
        threshold_at_fmr(np.array(impostor), rate)
