"""The status of every error, written down once more by hand: clients rely on it."""

import inspect
from http import HTTPStatus

import pytest

from mien import errors
from mien.errors import MienError
from mien.server.status import BY_ERROR, status_of

BY_CODE = {
    400: ["bad_request"],
    401: ["unauthenticated"],
    403: ["forbidden"],
    404: [
        "person_unknown",
        "face_unknown",
        "collection_unknown",
        "case_unknown",
        "job_unknown",
        "api_key_unknown",
        "route_unknown",
    ],
    405: ["method_refused"],
    409: [
        "person_exists",
        "collection_exists",
        "space_mismatch",
        "consent_expired",
        "request_in_progress",
        "idempotency_mismatch",
        "job_refused",
        "calibration_error",
        "calibration_invalid",
        "rate_unsupported",
    ],
    412: ["version_stale"],
    413: ["body_too_large", "image_too_large"],
    415: ["media_type_unsupported"],
    422: [
        "input_error",
        "no_face",
        "many_faces",
        "face_refused",
        "unreadable_image",
        "unreadable_video",
        "source_error",
        "stream_lost",
    ],
    429: ["rate_limited"],
    500: [
        "mien_error",
        "gallery_error",
        "index_stale",
        "audit_broken",
        "store_newer",
        "store_corrupt",
        "key_wrong",
        "key_missing",
        "inference_error",
        "service_error",
        "server_unreachable",
        "settings_error",
    ],
    501: ["pack_missing", "extra_missing"],
    503: [
        "pack_error",
        "pack_corrupt",
        "manifest_invalid",
        "licence_not_accepted",
        "download_failed",
        "conversion_failed",
        "store_locked",
        "store_read_only",
        "store_unreachable",
        "device_unavailable",
        "out_of_memory",
        "overloaded",
    ],
    504: ["timed_out"],
    507: ["store_full"],
}
STATUS = {code: status for status, codes in BY_CODE.items() for code in codes}
KINDS = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, MienError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_error_has_the_status_that_clients_know(kind):
    assert status_of(kind("x")) == STATUS[kind.code]


def test_the_table_names_real_errors_and_real_statuses():
    assert set(STATUS) == {kind.code for kind in KINDS}
    assert set(BY_ERROR) <= set(KINDS)
    assert all(HTTPStatus(status) >= HTTPStatus.BAD_REQUEST for status in STATUS.values())


def test_what_is_derived_later_has_the_status_of_its_ancestor():
    class Worse(errors.VersionStale):
        """Of somebody else."""

    assert status_of(Worse("x")) == 412
