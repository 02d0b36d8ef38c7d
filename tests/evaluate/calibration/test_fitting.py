import numpy as np
import pytest

from mien.errors import BadRequest, RateUnsupported
from mien.evaluate.calibration.fitting import calibrate
from mien.evaluate.calibration.showing import show_calibration
from mien.evaluate.measures.intervals import Draws, replicated_share
from mien.gallery.calibration import read_calibration, write_calibration


@pytest.fixture
def fit(population, all_found):
    def call(people, fmr, **kind):
        compared = population(people, **kind)
        return compared, calibrate(
            compared, space="s:1", metric="cosine", fmr=fmr, acquired=all_found(compared)
        )

    return call


@pytest.mark.parametrize("fmr", [0.1, 1e-2, 4e-3])
def test_the_threshold_is_for_the_rate_asked_for(fit, fmr):
    compared, fitted = fit(150, fmr)
    found = fitted.calibration
    impostor = compared.distance[~compared.genuine]
    genuine = compared.distance[compared.genuine]
    assert (impostor <= found.threshold).mean() <= fmr
    assert (impostor <= np.nextafter(np.float32(found.threshold), np.float32(9))).mean() > fmr
    assert found.fmr.value == pytest.approx((impostor <= found.threshold).mean())
    assert found.fnmr.value == pytest.approx((genuine > found.threshold).mean())
    assert found.fmr.low <= found.fmr.value <= found.fmr.high
    assert found.requested_fmr == fmr
    assert (found.behind.people, found.behind.photographs) == (150, 450)
    assert read_calibration(write_calibration(found), "file").threshold == found.threshold


@pytest.mark.parametrize("fmr", [3e-2, 3e-3])
def test_the_rate_holds_for_other_people(population, fit, fmr):
    _, fitted = fit(200, fmr)
    others = population(200)
    strangers = ~others.genuine
    a, b = (others.person[side[strangers]] for side in (others.a, others.b))
    share = replicated_share(others.distance[strangers] <= fitted.calibration.threshold, a, b, Draws(200))
    low, high = np.quantile(share, [0.025, 0.975])
    # Both samples are drawn: the interval of one is not of the other too.
    assert low / 1.3 <= fmr <= high * 1.3


def test_the_curve_gives_the_rates_of_the_data(fit):
    compared, fitted = fit(150, 1e-2)
    found = fitted.calibration
    impostor = compared.distance[~compared.genuine]
    for rate in (5e-3, 1e-2, 0.05, 0.3):
        assert (impostor <= found.threshold_at(rate)).mean() == pytest.approx(rate, rel=0.1)


def test_rates_that_the_data_cannot_support_are_refused(fit):
    # 100,000 comparisons of two people expect thirty errors at 3e-4, but of the same people again and again.
    compared, fitted = fit(150, 1e-2)
    least = fitted.calibration.least_fmr
    assert 30 / (~compared.genuine).sum() < least < 5e-3
    with pytest.raises(RateUnsupported, match="not enough comparisons"):
        fit(150, 1e-5)
    with pytest.raises(RateUnsupported):
        fitted.calibration.threshold_at(least / 2)
    assert fitted.calibration.threshold_at(2e-2) > fitted.calibration.threshold


def test_a_rate_is_as_sure_as_thirty_independent_errors_make_it(fit):
    compared, fitted = fit(150, 1e-2)
    strangers = ~compared.genuine
    a, b = (compared.person[side[strangers]] for side in (compared.a, compared.b))
    away = compared.distance[strangers]
    least = fitted.calibration.distances[0]
    for distance, sure in ((least, True), (np.sort(away)[len(away) // 20_000], False)):
        share = replicated_share(away <= distance, a, b, Draws(150))
        assert (share.std() <= (away <= distance).mean() / np.sqrt(30)) == sure


def test_too_few_people_are_refused(population, all_found):
    for people in (4, 9):
        compared = population(people)
        with pytest.raises((BadRequest, RateUnsupported)):
            calibrate(compared, space="s", metric="cosine", fmr=0.2, acquired=all_found(compared))


def test_probabilities_come_true_for_other_people(population, fit):
    _, fitted = fit(300, 1e-2)
    others = population(300)
    said = fitted.calibration.probability(others.distance.astype(float))
    weight = np.where(others.genuine, 0.5 / others.genuine.sum(), 0.5 / (~others.genuine).sum())
    off = []
    for low in np.arange(0, 1, 0.2):
        inside = (said >= low) & (said < low + 0.2 + 1e-9)
        came = np.average(others.genuine[inside], weights=weight[inside])
        off.append(weight[inside].sum() * abs(came - np.average(said[inside], weights=weight[inside])))
    assert sum(off) < 0.02
    assert fitted.reliability.error < 0.03
    assert 0 < fitted.calibration.cllr < 0.3


def test_evidence_stays_within_what_was_seen(fit):
    compared, fitted = fit(150, 1e-2)
    found = fitted.calibration
    impostor, genuine = compared.distance[~compared.genuine], compared.distance[compared.genuine]
    near = found.distances[0]
    most = (genuine <= near).mean() / (impostor <= near).mean()
    assert max(found.evidence) <= np.log10(most) + 1e-9
    far = np.sort(genuine)[-5]
    assert min(found.evidence) >= np.log10((genuine >= far).mean() / (impostor >= far).mean()) - 1e-9
    ratios = found.log10_likelihood_ratio(np.linspace(-1, 3, 50))
    assert (np.diff(ratios) <= 0).all()


def test_strangers_are_strangers_where_people_are_told_apart_with_ease(fit):
    # The farthest pair of one person is nearer than the threshold.
    compared, fitted = fit(200, 1e-2, blur=0.15)
    assert compared.distance[compared.genuine].max() < fitted.calibration.threshold
    strangers = np.median(compared.distance[~compared.genuine])
    assert fitted.calibration.probability(np.array(float(strangers))) < 0.02
    assert fitted.calibration.cllr < 0.1
    assert fitted.reliability.error < 0.03


def test_it_is_shown(fit):
    _, fitted = fit(150, 1e-2)
    shown = show_calibration(fitted)
    assert shown.measures.threshold == fitted.calibration.threshold
    rows = dict(shown.tables[0].rows)
    assert rows["threshold"] == f"{fitted.calibration.threshold:.4f}"
    assert [row[0] for row in shown.tables[1].rows][:2] == ["10.00 %", "1.00 %"]
    assert len(shown.charts) == 3
