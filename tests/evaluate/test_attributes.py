from pathlib import Path

import msgspec
import numpy as np
import pytest

from mien.core.analysis import Failure
from mien.core.columns import BY_NAME
from mien.core.faces import Faces
from mien.errors import BadRequest, UnreadableImage
from mien.evaluate.attributes import evaluate_attributes
from mien.evaluate.looking import Looked
from mien.evaluate.reading.labels import Labelled

FEMALE, MALE = 0, 1


def looked_at(rows, failures=0):
    """One face for each row of columns; None where none was found."""
    faces = [
        Faces.empty((9, 9))
        if row is None
        else Faces((9, 9), np.array([[0, 0, 9, 9]]), np.ones(1), **{k: np.array([v]) for k, v in row.items()})
        for row in rows
    ]
    failed = tuple(Failure(str(i), UnreadableImage("torn")) for i in range(failures))
    return Looked(paths(len(rows)), tuple(faces), failed)


def paths(n):
    return tuple(Path(str(i)) for i in range(n))


def test_several_columns_are_judged_each_by_what_is_known():
    labelled = Labelled(
        paths(4),
        {"age": np.array([30, 40, np.nan, 50]), "gender": np.array([MALE, FEMALE, FEMALE, np.nan])},
        ("x.jpg",),
    )
    looked = looked_at(
        [
            {"age": 33.0, "gender": [0.1, 0.9]},
            None,
            {"age": 20.0, "gender": [0.3, 0.7]},
            {"age": 40.0, "gender": [0.5, 0.5]},
        ],
        failures=1,
    )
    evaluation = evaluate_attributes(labelled, looked)
    found = evaluation.measures
    assert (found.photographs, found.unlabelled, found.failures) == (4, 1, 1)
    assert (found.age.faces, found.age.mae, found.age.bias) == (2, 6.5, -3.5)
    assert found.age.within_5_years.value == 0.5
    assert (found.age.no_face.count, found.age.no_face.of) == (1, 3)
    assert (found.gender.accuracy.count, found.gender.accuracy.of) == (1, 2)
    assert found.gender.accuracy_of_all.of == 3
    # 0.7 is below what decides a gender.
    assert (found.gender.decided.count, found.gender.accuracy_of_decided.value) == (1, 1)
    assert "expression" not in msgspec.to_builtins(found)


def test_the_confusion_matrix_counts_photographs_without_a_face():
    labels = BY_NAME["expression"].labels
    truth = [labels.index(name) for name in ("happy", "happy", "sad", "fear")]
    said = [{"expression": np.eye(7)[labels.index(name)]} for name in ("happy", "sad", "sad")]
    evaluation = evaluate_attributes(
        Labelled(paths(4), {"expression": np.array(truth, float)}), looked_at([*said, None])
    )
    matrix = next(chart for chart in evaluation.charts if hasattr(chart, "counts"))
    assert matrix.columns == (*labels, "no face found")
    assert matrix.counts.sum() == 4
    counts = {
        (matrix.rows[i], matrix.columns[j]): int(matrix.counts[i, j]) for i, j in np.argwhere(matrix.counts)
    }
    assert counts == {
        ("happy", "happy"): 1,
        ("happy", "sad"): 1,
        ("sad", "sad"): 1,
        ("fear", "no face found"): 1,
    }


def test_a_column_of_which_no_labelled_photograph_shows_a_face():
    labelled = Labelled(paths(2), {"age": np.array([30, np.nan]), "gender": np.array([np.nan, MALE])})
    evaluation = evaluate_attributes(labelled, looked_at([None, {"age": 3.0, "gender": [0, 1]}]))
    assert evaluation.measures.age.mae is None
    assert evaluation.measures.gender.accuracy.value == 1


def test_nothing_but_photographs_without_faces_is_refused():
    with pytest.raises(BadRequest, match="No face"):
        evaluate_attributes(Labelled(paths(1), {"age": np.array([30.0])}), looked_at([None]))


def test_every_column_is_split_by_every_label(rng):
    n = 120
    truth = {"age": rng.uniform(1, 90, n), "gender": rng.integers(0, 2, n).astype(float)}
    truth["age"][::7] = np.nan
    said = [
        None if i % 11 == 0 else {"age": rng.uniform(1, 90), "gender": rng.dirichlet([1, 1])}
        for i in range(n)
    ]
    label = {"origin": rng.choice(["x", "y", ""], n).tolist(), "light": ["day"] * n}
    evaluation = evaluate_attributes(Labelled(paths(n), truth, groups=label), looked_at(said))
    by_origin, by_light = evaluation.measures.groups
    assert (by_origin.column, by_light.column) == ("origin", "light")
    for years, share in zip(by_origin.age.groups, by_origin.gender.groups, strict=True):
        mine = [i for i in range(n) if label["origin"][i] == years.group == share.group]
        off = [said[i]["age"] - truth["age"][i] for i in mine if said[i] and not np.isnan(truth["age"][i])]
        assert years.cases == sum(not np.isnan(truth["age"][i]) for i in mine)
        assert years.unanswered == years.cases - len(off)
        assert years.mae.value == pytest.approx(np.abs(off).mean(), rel=1e-5)
        wrong = [said[i]["gender"].argmax() != truth["gender"][i] for i in mine if said[i]]
        assert (share.rate.count, share.rate.of) == (sum(wrong), len(wrong))
        assert (share.cases, share.unanswered) == (len(mine), len(mine) - len(wrong))
    assert by_origin.gender.unlabelled == label["origin"].count("")
    (day,) = by_light.gender.groups
    accuracy = evaluation.measures.gender.accuracy
    assert (day.rate.count, day.rate.of) == (accuracy.of - accuracy.count, accuracy.of)
    titles = [table.title for table in evaluation.tables]
    assert titles[3:] == ["Age by origin", "Gender by origin", "Age by light", "Gender by light"]
    assert {"Wrong gender by origin", "Age by light"} < {chart.title for chart in evaluation.charts}
    assert "expression" not in msgspec.to_builtins(by_light)


def test_labels_that_do_not_fit_and_labels_of_nobody():
    known = {"gender": np.array([MALE, np.nan])}
    looked = looked_at([{"gender": [0, 1]}, {"gender": [0, 1]}])
    with pytest.raises(BadRequest, match="do not fit"):
        evaluate_attributes(Labelled(paths(2), known, groups={"k": ["x"]}), looked)
    # The only photograph with a label is the one whose gender nobody knows.
    evaluation = evaluate_attributes(Labelled(paths(2), known, groups={"k": ["", "x"]}), looked)
    assert (evaluation.measures.groups[0].gender.groups, len(evaluation.tables)) == ([], 2)
