"""Who somebody is said to be: as brute force says, the same on every back end."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gallery.known import COSINE, RULE, ids_of, newcomer, spread, vectors
from mien.gallery.nearby import IndexChoices
from mien.gallery.rule import DecisionRule

TODAY = datetime.now(UTC).date()
YESTERDAY, TOMORROW = TODAY - timedelta(1), TODAY + timedelta(1)


def decided(gallery, x):
    return gallery.identify(vectors([x, 0]), "s").decision(0)


def test_known_uncertain_unknown(place):
    rule = DecisionRule("s", "euclidean", 1.0, 0.001, review_distance=2.0)
    gallery = place.gallery(rule, least_margin=0.5)
    gallery.enroll("Ada", vectors([0, 0]), "s")
    gallery.enroll("Bo", vectors([1.5, 0]), "s")
    assert decided(gallery, -0.9) == "known"
    assert decided(gallery, 0.2) == "known", "the second is beyond the threshold"
    assert decided(gallery, 0.6) == "uncertain", "0.6 to Ada, 0.9 to Bo"
    assert decided(gallery, 0.75) == "uncertain"
    assert decided(gallery, 1.5) == "known"
    assert decided(gallery, -1.5) == "uncertain", "for review"
    assert decided(gallery, -2.5) == "unknown"
    matches = gallery.identify(vectors([0.6, 0], [-1.5, 0], [-0.9, 0]), "s")
    np.testing.assert_allclose(matches.margin, [0.3, 1.5, 1.5], atol=1e-6)
    assert [matches.best(i) is None for i in range(3)] == [True, True, False]


def test_who_is_alone_has_no_rival(place):
    gallery = place.gallery(DecisionRule("s", "euclidean", 1.0, None), least_margin=99)
    gallery.enroll("Ada", vectors([0, 0], [0, 0.1]), "s")
    assert gallery.identify(vectors([0, 0]), "s").margin.tolist() == [np.inf]
    assert decided(gallery, 0) == "known"


def test_people_who_resemble_somebody_are_told_of(place):
    gallery = place.gallery()
    gallery.enroll_many([newcomer("Ada", [0, 0]), newcomer("Bo", [0.5, 0]), newcomer("Cy", [9, 0])], "s")
    done = gallery.enroll_many([newcomer("Di", [0.1, 0], [0.2, 0])], "s", warn=True)[0]
    assert [match.person for match in done.resembles] == ["Ada", "Bo"]
    assert done.resembles[0].distance == pytest.approx(0.1, abs=1e-6)
    again = gallery.enroll_many([newcomer("Di", [0.1, 0])], "s", warn=True)[0]
    assert [match.person for match in again.resembles] == ["Ada", "Bo"], "but not oneself"
    assert gallery.enroll_many([newcomer("Ed", [40, 0])], "s", warn=True)[0].resembles == ()


@pytest.mark.parametrize("rule", [RULE, COSINE], ids=["euclidean", "cosine"])
@pytest.mark.parametrize("policy", ["best_face", "centroid"])
def test_both_policies_are_what_brute_force_says(place, rng, rule, policy):
    gallery = place.gallery(rule, choices=IndexChoices(policy=policy))
    known = {f"p{i}": 3 * spread(rng, rng.integers(1, 5), 8) for i in range(25)}
    gallery.enroll_many([newcomer(name, *rows) for name, rows in known.items()], "s")
    probes = spread(rng, 10, 8)

    def agrees():
        matches = gallery.identify(probes, "s", 5)
        for probe, found in zip(probes, matches, strict=True):
            expected = sorted((nearest(rule, policy, probe, rows), name) for name, rows in known.items())
            np.testing.assert_allclose([m.distance for m in found], [d for d, _ in expected[:5]], atol=2e-4)
            assert [m.person for m in found] == [name for _, name in expected[:5]]

    agrees()
    known["p3"] = np.concatenate([known["p3"], spread(rng, 2, 8)])
    gallery.enroll("p3", known["p3"][-2:], "s")
    agrees()
    known["p5"] = np.concatenate([known.pop("p4"), known["p5"]])  # as they were enrolled
    gallery.merge("p5", ["p4"])
    agrees()
    gallery.forget("p6")
    del known["p6"]
    agrees()
    gallery.drop_faces(ids_of(gallery, "p3")[:1])
    known["p3"] = known["p3"][1:]
    agrees()
    gallery.move(ids_of(gallery, "p5")[:1], "p7")
    known["p7"], known["p5"] = np.concatenate([known["p7"], known["p5"][:1]]), known["p5"][1:]
    agrees()


def nearest(rule, policy, probe, rows):
    rows, probe = rows.astype(np.float64), probe.astype(np.float64)
    if policy == "centroid":
        scaled = rows / np.linalg.norm(rows, axis=1, keepdims=True) if rule.metric == "cosine" else rows
        rows = scaled.mean(0, keepdims=True)
    if rule.metric == "euclidean":
        return float(np.linalg.norm(rows - probe, axis=1).min())
    return float(1 - (rows @ probe / np.linalg.norm(rows, axis=1) / np.linalg.norm(probe)).max())
