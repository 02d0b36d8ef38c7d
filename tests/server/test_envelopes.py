import inspect
import json

import pytest

from mien import errors
from mien.server import envelopes
from mien.server.envelopes import SHAPES, envelope_of
from mien.server.failing import defect_answer, error_answer

KEYS = {
    "/v1/detect": {"error", "request_id"},
    "/metrics": {"error", "request_id"},
    "/api": {"error", "request_id"},
    "/api/v10/x": {"error", "request_id"},
    "/v22": {"error", "request_id"},
    "/api/v1": {"message", "code"},
    "/api/v1/recognition/subjects": {"message", "code"},
    "/v2": {"error"},
    "/v2/models/x": {"error"},
}


def scope(path):
    return {"path": path, "state": {"request_id": "r1"}}


@pytest.mark.parametrize("path", KEYS)
def test_errors_have_the_shape_of_the_api_that_was_asked(path):
    error = errors.Overloaded("Too much.", hint="Wait.", retry_after_s=1.2)
    for answer, status in ((error_answer(error, scope(path)), 503), (defect_answer(scope(path)), 500)):
        assert answer.status_code == status
        assert json.loads(answer.body).keys() == KEYS[path]
        assert envelope_of(path).shape in SHAPES
    assert error_answer(error, scope(path)).headers["retry-after"] == "2"


def test_the_hint_comes_along_where_there_is_one_text_for_both():
    told = json.loads(error_answer(errors.BadRequest("No.", hint="Do."), scope("/v2")).body)
    assert told == {"error": "No. Do."}
    told = json.loads(error_answer(errors.NoFace("No.", hint=""), scope("/api/v1")).body)
    assert told == {"message": "No.", "code": 28}


def test_tables_are_of_codes_that_there_are():
    codes = {
        one.code
        for _, one in inspect.getmembers(errors, inspect.isclass)
        if issubclass(one, errors.MienError)
    }
    assert envelopes._NUMBERS.keys() <= codes
    for path in KEYS:
        assert envelope_of(path).statuses.keys() <= codes


@pytest.mark.parametrize(
    ("error", "native", "compreface", "inference"),
    [
        (errors.NoFace, 422, 400, 422),
        (errors.PersonExists, 409, 400, 409),
        (errors.PackMissing, 501, 501, 404),
        (errors.PersonUnknown, 404, 404, 404),
        (errors.ImageTooLarge, 413, 413, 413),
    ],
)
def test_statuses_are_those_that_clients_expect(error, native, compreface, inference):
    found = [error_answer(error("x"), scope(path)).status_code for path in ("/v1", "/api/v1", "/v2")]
    assert found == [native, compreface, inference]
