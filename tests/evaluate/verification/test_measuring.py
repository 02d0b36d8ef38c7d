import json

import msgspec
import numpy as np
import pytest

from mien.evaluate.evaluation import Bars, Curves
from mien.evaluate.measures.comparisons import everybody, listed
from mien.evaluate.measures.intervals import exact_interval
from mien.evaluate.verification.measuring import RATES, evaluate_verification
from mien.evaluate.verification.results import Threshold

THRESHOLD = Threshold(0.5, 1e-3, "manifest")


@pytest.fixture
def vectors(rng):
    """Three hundred people of three photographs; two photographs show no face."""
    centres = rng.normal(size=(300, 16))
    found = centres.repeat(3, 0) + 0.55 * rng.normal(size=(900, 16))
    found[[5, 600]] = np.nan
    return found


PERSON = np.repeat(np.arange(300), 3)


@pytest.fixture
def evaluated(vectors):
    compared = everybody(vectors, PERSON, "cosine")
    labels = {"half": ["one" if p < 150 else "two" for p in PERSON]}
    found = evaluate_verification(
        compared,
        metric="cosine",
        space="s",
        acquired=~np.isnan(vectors).any(1),
        threshold=THRESHOLD,
        labels=labels,
    )
    return compared, found


def test_measures_are_counts(evaluated):
    compared, found = evaluated
    measures = found.measures
    genuine, impostor = compared.distance[compared.genuine], compared.distance[~compared.genuine]
    made = impostor[np.isfinite(impostor)]
    assert measures.comparisons.people == 300
    assert measures.comparisons.photographs == 900
    assert measures.comparisons.genuine == 900 == len(genuine)
    assert measures.comparisons.impostor == 900 * 899 // 2 - 900
    assert measures.comparisons.genuine_not_made == 4
    assert measures.failure_to_acquire.value == pytest.approx(2 / 900)
    assert measures.operating.fmr.value == pytest.approx((made <= 0.5).mean())
    # Those that could not be made are errors.
    assert measures.operating.fnmr.value == pytest.approx((genuine > 0.5).mean())
    assert measures.operating.fnmr.count >= 4
    for name, at in measures.fnmr_at_fmr.items():
        assert float(name) == at.fmr
        if at.threshold is not None:
            assert (made <= at.threshold).mean() <= at.fmr
            assert at.fnmr.value == pytest.approx((genuine > at.threshold).mean())
            assert at.fnmr.low <= at.fnmr.value <= at.fnmr.high


def test_rates_that_the_data_cannot_support_say_so(evaluated):
    measures = evaluated[1].measures
    # 403,000 comparisons of two people: 1e-4 expects forty errors, 1e-5 four.
    told = {at.fmr: at.fnmr.value is not None for at in measures.fnmr_at_fmr.values()}
    assert told == {1e-2: True, 1e-3: True, 1e-4: False, 1e-5: False, 1e-6: False} | {
        1e-4: len(RATES) > 0 and measures.comparisons.impostor * 1e-4 >= 30
    }
    assert "not enough comparisons" in measures.fnmr_at_fmr["1e-06"].fnmr.note
    assert measures.fnmr_at_fmr["1e-06"].threshold is None


def test_accuracy_only_where_there_are_folds(vectors, evaluated):
    assert evaluated[1].measures.accuracy is None
    pairs = np.stack([np.arange(0, 900, 3), np.arange(1, 901, 3)], 1)
    others = np.stack([np.arange(0, 900, 3), np.roll(np.arange(0, 900, 3), 1)], 1)
    compared = listed(vectors, PERSON, np.concatenate([pairs, others]), "cosine")
    found = evaluate_verification(
        compared, metric="cosine", space="s", acquired=np.ones(900, bool), fold=np.arange(600) % 10
    ).measures
    assert found.accuracy == pytest.approx(np.mean(found.accuracy_folds))
    assert found.accuracy_sd == pytest.approx(np.std(found.accuracy_folds))
    assert len(found.accuracy_folds) == len(found.accuracy_thresholds) == 10
    assert found.operating is None
    assert 0.9 < found.accuracy < 1


def test_a_perfect_system_is_not_beyond_doubt():
    vectors = np.eye(40).repeat(2, 0)
    compared = everybody(vectors, np.repeat(np.arange(40), 2), "cosine")
    found = evaluate_verification(compared, metric="cosine", space="s", acquired=np.ones(80, bool)).measures
    assert found.eer.value == 0
    assert found.eer.high == pytest.approx(exact_interval(0, 40)[1])
    assert found.auc == 1


def test_groups_are_in_measures_tables_and_charts(evaluated):
    found = evaluated[1]
    assert [group.group for group in found.measures.groups[0].groups] == ["one", "two"]
    assert found.tables[1].title == "By half"
    assert [chart.label for chart in found.charts if isinstance(chart, Bars)] == ["half", "half"]


def test_the_curves_are_those_of_the_data(evaluated):
    compared, found = evaluated
    det = found.charts[0]
    assert isinstance(det, Curves)
    (line,) = det.lines
    genuine, impostor = compared.distance[compared.genuine], compared.distance[~compared.genuine]
    made = np.sort(impostor[np.isfinite(impostor)])
    assert len(line.x) < 1000
    for fmr, fnmr in list(zip(line.x, line.y, strict=True))[:: len(line.x) // 20]:
        if 0 < fmr < 1:
            count = round(fmr * len(made))
            # Between this many strangers and one more there may be several people.
            least, most = made[count - 1], made[count]
            assert (genuine > most).mean() - 1e-9 <= fnmr <= (genuine > least).mean() + 1e-9
    known = np.isfinite(line.low)
    assert 20 < known.sum() < len(known)
    # Between the points that were resampled the ends are interpolated.
    assert (line.low[known] <= line.y[known] + 0.005).all()
    assert (line.y[known] <= line.high[known] + 0.005).all()
    assert (line.high[known] - line.low[known]).max() > 0.005


def test_json_has_the_names_of_the_measures(evaluated):
    written = json.loads(msgspec.json.encode(evaluated[1].measures))
    assert {"accuracy", "eer", "auc", "fnmr_at_fmr", "failure_to_acquire", "groups"} <= set(written)
    assert set(written["fnmr_at_fmr"]) == {"0.01", "0.001", "0.0001", "1e-05", "1e-06"}
    assert set(written["eer"]) == {"value", "low", "high", "count", "of", "note"}


def test_the_interval_of_the_equal_error_rate_covers_the_truth(rng):
    # Many small samples of one population: the interval holds the population's rate nearly always.
    def sample(people):
        centres = rng.normal(size=(people, 6))
        person = np.repeat(np.arange(people), 3)
        return everybody(centres[person] + 0.5 * rng.normal(size=(3 * people, 6)), person, "cosine")

    def measure(compared):
        return evaluate_verification(
            compared, metric="cosine", space="s", acquired=np.ones(len(compared.person), bool)
        ).measures.eer

    truth = measure(sample(800)).value
    held = [rate.low <= truth <= rate.high for rate in (measure(sample(40)) for _ in range(25))]
    assert sum(held) >= 21
