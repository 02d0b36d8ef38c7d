import json
import pickle

import pytest

from mien import errors
from mien.client.call import Received
from mien.client.refused import Refused, refused
from mien.errors import (
    BodyTooLarge,
    MienError,
    Overloaded,
    PersonUnknown,
    RateLimited,
    ServerUnreachable,
    ServiceError,
    TimedOut,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MienError)]


def answer(code, status=400, details=None, **headers):
    error = {"code": code, "message": "What happened.", "hint": "What to do.", "details": details}
    body = json.dumps({"error": error, "request_id": "r-7"}).encode()
    return Received(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_error_comes_back_as_itself(kind):
    error = refused(answer(kind.code, 418, {"fields": []}, retry_after="7"))
    assert isinstance(error, kind)
    assert isinstance(error, Refused)
    assert type(error).__name__ == kind.__name__
    assert (error.code, error.message, error.hint) == (kind.code, "What happened.", "What to do.")
    assert (error.status, error.request_id, error.details) == (418, "r-7", {"fields": []})
    assert error.retry_after_s == 7
    assert str(error) == "What happened."
    assert error.__notes__ == ["What to do."]


def test_an_error_of_a_newer_server_keeps_its_code():
    error = refused(answer("moon_too_full", 409))
    assert isinstance(error, ServiceError)
    assert error.code == "moon_too_full"
    assert ServiceError.code == "service_error"
    assert "moon_too_full" not in {kind.code for kind in KINDS}


def test_without_a_hint_the_class_has_one():
    body = b'{"error": {"code": "overloaded", "message": "Full."}, "request_id": "r"}'
    assert refused(Received(503, {}, body)).hint == Overloaded.default_hint


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (413, BodyTooLarge),
        (429, RateLimited),
        (503, Overloaded),
        (504, TimedOut),
        (502, ServerUnreachable),
        (404, ServerUnreachable),
        (301, ServerUnreachable),
        (500, ServerUnreachable),
    ],
)
@pytest.mark.parametrize("body", [b"<html>nginx</html>", b"", b'{"detail": "Not Found"}', b'{"error": "no"}'])
def test_what_others_answer_is_told_apart(status, kind, body):
    error = refused(Received(status, {}, body))
    assert isinstance(error, kind)
    assert isinstance(error, Refused)
    assert str(status) in error.message
    assert "not Mien" in error.message
    assert (error.status, error.request_id, error.details) == (status, None, None)


def test_a_redirection_says_where_to():
    error = refused(Received(308, {"location": "https://elsewhere.example/"}, b""))
    assert "https://elsewhere.example/" in error.message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("12", 12), ("", None), ("-1", None), ("1.5", None), ("²", None), ("nan", None)],
)
def test_dates_and_nonsense_say_nothing_about_when(text, seconds):
    assert refused(answer("rate_limited", 429, retry_after=text)).retry_after_s == seconds
    assert refused(answer("rate_limited", 429)).retry_after_s is None


def test_errors_come_through_between_processes():
    error = refused(answer("person_unknown", 404, {"who": [1]}, retry_after="3"))
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, PersonUnknown)
    assert type(again) is type(error)
    told = ("code", "message", "hint", "status", "request_id", "details", "retry_after_s")
    assert [getattr(again, name) for name in told] == [getattr(error, name) for name in told]
