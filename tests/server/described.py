"""Answers compared with what the OpenAPI document says of them."""

import json
import re

import jsonschema_rs

JSON = "application/json"


class Document:
    """An OpenAPI document, to which answers have to keep."""

    def __init__(self, document):
        self.document = document
        # The most literal first: /faces/move is no face.
        self._paths = sorted(document["paths"], key=lambda path: (path.count("{"), -len(path)))
        self.answered = set()
        self._validators = {}

    def operation(self, method, path):
        """The template that a path is of, and what is said about it; None if there is none."""
        for template in self._paths:
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in self.document["paths"][template]:
                return template, self.document["paths"][template][method.lower()]
        return None

    def check(self, response):
        """Fail unless an answer of httpx has a status, a type and a body that are described."""
        response.read()
        request = response.request
        path = request.url.raw_path.decode().partition("?")[0]
        found = self.operation(request.method, path)
        if found is None:
            assert response.status_code in {403, 404, 405}, f"{request.method} {path} is described nowhere"
            return
        template, operation = found
        place = f"{request.method} {template} {response.status_code}"
        self.answered.add((request.method, template, response.status_code))
        described = operation["responses"].get(str(response.status_code))
        if described is None:
            assert response.status_code >= 400, f"{place} is not described"
            described = operation["responses"]["default"]
        for name in described.get("headers", {}):
            assert name in response.headers, f"{place} lacks {name}"
        if "content" not in described:
            assert response.content == b"", f"{place} has a body"
            return
        media = response.headers["content-type"].partition(";")[0]
        allowed = {one.partition(";")[0] for one in described["content"]}
        assert media in allowed, f"{place} is {media}, not {allowed}"
        if media == JSON:
            schema = described["content"][JSON]["schema"]
            body = response.json()
            errors = [f"{one.message} at {one.instance_path}" for one in self._errors(schema, body)]
            assert not errors, f"{place}: {errors[:3]}"
            self._no_more_than_described(schema, body, place)

    def _errors(self, schema, body):
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self._validators[key].iter_errors(body)

    def _no_more_than_described(self, schema, body, place):
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if isinstance(body, dict) and "properties" in schema:
            unsaid = body.keys() - schema["properties"].keys()
            assert not unsaid, f"{place} has {unsaid}, of which nothing is said"
