"""The OpenAPI document: valid, whole, and understood by others."""

import json
import re

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute
from schemathesis.specs.openapi.definitions import OPENAPI_31

from mien.access.scopes import SCOPES
from mien.server.app import make_app
from mien.server.plans import has_plan
from mien.settings import load_settings

API = make_app(load_settings(environ={}, store="memory")).api
DOCUMENT = json.loads(json.dumps(API.openapi()))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def below(value):
    """Everything within a document."""
    yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from below(one)


def test_it_is_valid():
    validator = jsonschema_rs.Draft202012Validator(OPENAPI_31)
    assert [one.message for one in validator.iter_errors(DOCUMENT)] == []
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_every_schema_in_it_is_one():
    for name, schema in DOCUMENT["components"]["schemas"].items():
        whole = {**schema, "components": DOCUMENT["components"]}
        jsonschema_rs.Draft202012Validator(whole)
        assert re.fullmatch(r"[\w.-]+", name)


def test_every_reference_leads_somewhere_and_every_shape_is_referred_to():
    references = {one["$ref"] for one in below(DOCUMENT) if isinstance(one, dict) and "$ref" in one}
    names = {one.removeprefix("#/components/schemas/") for one in references}
    assert names <= set(DOCUMENT["components"]["schemas"])


def test_every_route_is_in_it():
    routes = {
        f"{method} {route.path_format}"
        for route in API.routes
        if isinstance(route, APIRoute) and has_plan(route)
        for method in route.methods
    }
    assert set(OPERATIONS) == routes
    assert len(routes) > 70
    assert {one.partition("/")[2].partition("/")[0] for one in routes} == {"v1", "api", "v2", "metrics"}


@each_operation
def test_every_operation_says_what_it_does(operation):
    assert re.match(r"[A-Z]", operation["summary"])
    assert operation["summary"].endswith(".")
    assert "\n" not in operation["summary"]
    assert not operation.get("description", "").startswith(" ")
    assert operation["tags"]
    assert operation["x-scope"] in {*SCOPES, "anybody", "nobody"}
    assert bool(operation["security"]) == (operation["x-scope"] != "nobody")
    statuses = {status for status in operation["responses"] if status != "default"}
    assert statuses
    assert all(status[0] in "25" for status in statuses)
    assert "default" in operation["responses"]
    for answer in operation["responses"].values():
        assert answer["description"].endswith(".")


def test_operations_can_be_told_apart():
    identifiers = [one["operationId"] for one in OPERATIONS.values()]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"\w+", one) for one in identifiers)


@pytest.mark.parametrize("name", OPERATIONS)
def test_parameters_are_those_of_the_path_and_each_is_given_once(name):
    parameters = OPERATIONS[name]["parameters"]
    in_path = [one["name"] for one in parameters if one["in"] == "path"]
    assert sorted(in_path) == sorted(re.findall(r"\{(\w+)\}", name))
    places = [(one["in"], one["name"]) for one in parameters]
    assert len(set(places)) == len(places)
    for one in parameters:
        if one["in"] == "query":
            assert {"type": "null"} not in one["schema"].get("anyOf", []), (
                f"{one['name']} cannot be null there"
            )


def test_what_takes_photographs_takes_them_in_three_ways():
    content = OPERATIONS["POST /v1/detect"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json", "image/*", "application/octet-stream"}
    named = OPERATIONS["POST /v1/collections/{collection}/people"]["requestBody"]["content"]
    assert set(named) == {"multipart/form-data", "application/json"}, "a name has to be given"
    assert set(named["application/json"]["schema"]["required"]) == {"photo", "name"}


def test_what_may_be_repeated_says_so():
    def has(name, header):
        return any(one["in"] == "header" and one["name"] == header for one in OPERATIONS[name]["parameters"])

    for name in (
        *("POST /v1/collections", "POST /v1/collections/{collection}/people"),
        "POST /v1/collections/{collection}/people/{person}/faces",
        "POST /v1/collections/{collection}/clusters",
    ):
        assert has(name, "idempotency-key"), name
    assert not has("POST /v1/detect", "idempotency-key")
    assert has("PATCH /v1/collections/{collection}/people/{person}", "if-match")


def test_it_is_served_as_it_is(server):
    answer = server.client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT


def test_it_says_nothing_about_this_machine():
    text = json.dumps(DOCUMENT)
    assert "/root" not in text
    assert "/home" not in text
    assert DOCUMENT["info"]["license"] == {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    assert "servers" not in DOCUMENT
