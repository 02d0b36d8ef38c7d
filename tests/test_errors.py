import copy
import inspect
import pickle
import re

import pytest

from mien import errors
from mien.errors import MienError, NoFace, PackMissing

# Programs test for these: a code, once published, never changes.
CODES = {
    "MienError": "mien_error",
    "InputError": "input_error",
    "UnreadableImage": "unreadable_image",
    "ImageTooLarge": "image_too_large",
    "NoFace": "no_face",
    "ManyFaces": "many_faces",
    "BadRequest": "bad_request",
    "PackError": "pack_error",
    "PackMissing": "pack_missing",
    "PackCorrupt": "pack_corrupt",
    "ManifestInvalid": "manifest_invalid",
    "LicenceNotAccepted": "licence_not_accepted",
    "DownloadFailed": "download_failed",
    "ConversionFailed": "conversion_failed",
    "ExtraMissing": "extra_missing",
    "GalleryError": "gallery_error",
    "PersonUnknown": "person_unknown",
    "PersonExists": "person_exists",
    "SpaceMismatch": "space_mismatch",
    "StoreLocked": "store_locked",
    "AuditBroken": "audit_broken",
    "CollectionExists": "collection_exists",
    "CollectionUnknown": "collection_unknown",
    "ConsentExpired": "consent_expired",
    "FaceRefused": "face_refused",
    "FaceUnknown": "face_unknown",
    "IndexStale": "index_stale",
    "KeyMissing": "key_missing",
    "StoreCorrupt": "store_corrupt",
    "StoreFull": "store_full",
    "StoreNewer": "store_newer",
    "StoreReadOnly": "store_read_only",
    "StoreUnreachable": "store_unreachable",
    "KeyWrong": "key_wrong",
    "SourceError": "source_error",
    "StreamLost": "stream_lost",
    "UnreadableVideo": "unreadable_video",
    "InferenceError": "inference_error",
    "DeviceUnavailable": "device_unavailable",
    "OutOfMemory": "out_of_memory",
    "CalibrationError": "calibration_error",
    "CalibrationInvalid": "calibration_invalid",
    "RateUnsupported": "rate_unsupported",
    "VersionStale": "version_stale",
    "CaseUnknown": "case_unknown",
    "ServiceError": "service_error",
    "Unauthenticated": "unauthenticated",
    "Forbidden": "forbidden",
    "RateLimited": "rate_limited",
    "Overloaded": "overloaded",
    "TimedOut": "timed_out",
    "ServerUnreachable": "server_unreachable",
    "RouteUnknown": "route_unknown",
    "MethodRefused": "method_refused",
    "MediaTypeUnsupported": "media_type_unsupported",
    "BodyTooLarge": "body_too_large",
    "RequestInProgress": "request_in_progress",
    "IdempotencyMismatch": "idempotency_mismatch",
    "ApiKeyUnknown": "api_key_unknown",
    "JobUnknown": "job_unknown",
    "JobRefused": "job_refused",
    "SettingsError": "settings_error",
}
CLASSES = {
    name: found for name, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, MienError)
}


def drawn_tree():
    """Class name to the name of its base, as the picture above the module draws it."""
    tree, parent = {"MienError": "Exception"}, ""
    for line in re.findall(r"^    [+|] .*$", errors.__doc__, re.MULTILINE):
        names = re.findall(r"\b[A-Z]\w+", line)
        if line.lstrip().startswith("+"):
            parent = names.pop(0)
            tree[parent] = "MienError"
        tree |= dict.fromkeys(names, parent)
    return tree


def test_every_error_has_a_code_of_its_own_that_stays():
    assert {name: found.code for name, found in CLASSES.items()} == CODES
    assert len(set(CODES.values())) == len(CODES)


def test_the_drawn_tree_is_the_tree():
    assert drawn_tree() == {name: found.__base__.__name__ for name, found in CLASSES.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_message_hint_and_code(name):
    error = CLASSES[name]("It broke.", hint="Mend it.")
    assert (str(error), error.message, error.hint) == ("It broke.", "It broke.", "Mend it.")
    assert CLASSES[name]("It broke.").hint == CLASSES[name].default_hint
    assert CLASSES[name].__doc__
    with pytest.raises(TypeError):
        CLASSES[name]()


def test_a_hint_of_ones_own_wins_even_when_empty():
    assert NoFace("Nobody.").hint
    assert NoFace("Nobody.", hint="").hint == ""
    assert PackMissing("No pack.").hint == ""


def test_the_hint_is_given_by_name():
    with pytest.raises(TypeError):
        NoFace("Nobody.", "Look again.")


@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_survives_the_way_to_another_process(travel):
    there = travel(NoFace("Nobody.", hint="Look again."))
    assert (type(there), there.message, there.hint, there.code) == (
        NoFace,
        "Nobody.",
        "Look again.",
        "no_face",
    )
