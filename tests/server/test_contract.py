"""Whatever is asked, of a kind that the OpenAPI document describes or not, is answered as it says.

MIEN_TEST_EXAMPLES says how often each route is asked: 300 with `make test-contract`.
"""

import base64
import os
import random

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mien.server.app import make_app
from mien.settings import load_settings
from server.people import photograph, together
from server.serving import served

EXAMPLES = int(os.environ.get("MIEN_TEST_EXAMPLES", "6"))
CHECKS = [
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# The only errors of the 500s that are no mistake: the starter lacks packs for some columns.
EXPECTED = {"pack_missing", "extra_missing"}
PHOTOS = [photograph("Grace"), together("Grace", "Eileen"), b"no picture"]
FIELDS = ("photo", "photos", "file", "photo_a", "photo_b", "source_image", "target_image")

schema = schemathesis.openapi.from_dict(
    make_app(load_settings(environ={}, store="memory")).api.openapi(),
    config=SchemathesisConfig(
        projects=ProjectsConfig(default=ProjectConfig(generation=GenerationConfig(database="none")))
    ),
)
schema.config.generation.update(modes=list(schemathesis.GenerationMode))


@pytest.fixture(scope="module")
def found(mien_home, tmp_path_factory):
    with served(tmp_path_factory.mktemp("contract"), mien_home) as one:
        one.admin = one.key("admin")
        yield one


@pytest.fixture
def known(found):
    """What there is, by the parameter that may name it; anew for each route, some of which delete it."""

    def make(path, photo=None, **told):
        sent = {"json": told} if photo is None else {"data": told, "files": {"photo": photo}}
        return found.client.post(path, headers=found.admin, **sent).json()

    for name in ("ours", "default"):
        make("/v1/collections", name=name)
    photo = photograph("Grace")
    row = make("/v1/collections/ours/people", photo, name="Ada", keep_picture="true")
    faces = found.client.get("/v1/collections/ours/people/Ada/faces", headers=found.admin).json()["items"]
    key = make("/v1/keys", name="x", scopes=["detect"])["id"]
    case = make("/v1/collections/ours/cases", photo, title="x")
    job = make("/v1/jobs", photo, kind="analyze", start="false")
    return {
        "collection": "ours",
        "person": "Ada",
        "person_id": row["person_id"],
        "face": faces[0]["id"],
        "image_id": faces[0]["id"],
        "group": row["person_id"],
        "subject": "Ada",
        "key": key,
        "case": case["id"],
        "job": job["id"],
        "name": "probe-1.jpg",
        "model": "mtcnn",
    }


def steer(case, known, chance):
    """Mostly to what there is: of what there is not, it is soon known what is answered."""
    for name in case.path_parameters or {}:
        endless = case.operation.path.endswith("/events")  # of a job that nobody starts
        if name in known and not endless and chance.random() < 0.7:
            case.path_parameters[name] = known[name]
    if isinstance(case.body, dict):
        for name in FIELDS:
            if name in case.body and chance.random() < 0.7:
                photo = chance.choice(PHOTOS)
                sent = photo if "multipart" in (case.media_type or "") else base64.b64encode(photo).decode()
                case.body[name] = [sent] if isinstance(case.body[name], list) else sent
    elif isinstance(case.body, bytes) and chance.random() < 0.5:
        case.body = chance.choice(PHOTOS)


def is_expected(response):
    said = response.json() if "json" in str(response.headers.get("content-type")) else None
    error = said.get("error") if isinstance(said, dict) else None
    return isinstance(error, dict) and error.get("code") in EXPECTED


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.generate],
)
def test_every_answer_is_as_it_is_described(case, found, known):
    steer(case, known, random.Random(repr((case.path_parameters, case.query, case.headers))))
    response = case.call(base_url=found.url, headers=found.admin, timeout=60)
    checks = CHECKS if is_expected(response) else [*CHECKS, not_a_server_error]
    case.validate_response(response, checks=checks, headers=found.admin)
    assert response.headers["x-request-id"]
