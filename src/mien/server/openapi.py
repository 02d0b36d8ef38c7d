"""The OpenAPI document, from the same plans and structs by which requests are read and answered."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, get_origin

import msgspec
from fastapi import FastAPI
from fastapi.routing import APIRoute

from mien.server.envelopes import SHAPES, envelope_of
from mien.server.plans import Nothing, Plan, has_plan, plan_of

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_PHOTO_NOTE = "JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF or HEIC"
_BINARY = {"type": "string", "format": "binary", "description": _PHOTO_NOTE}
_BASE64 = {"type": "string", "contentEncoding": "base64", "description": f"{_PHOTO_NOTE}, in base64"}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of an application whose routes have plans."""
    routes = [one for one in app.routes if isinstance(one, APIRoute) and has_plan(one)]
    named = _Schemas([kind for route in routes for kind in _types(plan_of(route))])
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method in sorted(route.methods or ()):
            paths.setdefault(route.path_format, {})[method.lower()] = _operation(route, method, named)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mien",
            "version": version("mien"),
            "description": "Face intelligence that runs on your own machine.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": named.components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


class _Schemas:
    """Structs as schemas: a reference for each, and what they refer to."""

    def __init__(self, kinds: list[Any]) -> None:
        distinct = list({repr(kind): kind for kind in [*kinds, *SHAPES]}.values())
        schemas, self.components = msgspec.json.schema_components(
            distinct, ref_template=_REF, schema_hook=lambda _kind: {"type": "string"}
        )
        self._of = {repr(kind): schema for kind, schema in zip(distinct, schemas, strict=True)}

    def of(self, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
        """The schema of a type."""
        return self._of[repr(kind)]

    def fields(self, kind: type[msgspec.Struct]) -> tuple[dict[str, Any], list[str]]:
        """The schemas of the fields of a struct by name, and which of them are required."""
        schema = self.of(kind)
        if "$ref" in schema:
            schema = self.components[schema["$ref"].rpartition("/")[2]]
        return schema.get("properties", {}), schema.get("required", [])


def _types(plan: Plan) -> Iterator[Any]:
    for kind in (plan.gives, plan.options, plan.body, *plan.others.values()):
        if kind is not None and not isinstance(kind, str):
            yield kind


def _operation(route: APIRoute, method: str, named: _Schemas) -> dict[str, Any]:
    plan = plan_of(route)
    said = (inspect.getdoc(route.endpoint) or "").split("\n\n")
    made: dict[str, Any] = {
        "operationId": f"{method.lower()}_{route.endpoint.__name__}_{route.path_format}".translate(_PLAIN),
        "summary": said[0],
        "tags": [str(tag) for tag in route.tags] or ["mien"],
        "parameters": [*_path(route), *_query(plan, named), *_headers(plan)],
        "responses": {
            str(plan.status): _answer(plan.gives, plan, named),
            **{str(status): _answer(kind, plan, named) for status, kind in plan.others.items()},
            "default": {
                "description": "An error.",
                "content": {_JSON: {"schema": named.of(envelope_of(route.path_format).shape)}},
            },
        },
        "security": [] if plan.needs == "nobody" else [{"bearer": []}, {"key": []}],
        "x-scope": plan.needs,
    }
    if len(said) > 1:
        made["description"] = "\n\n".join(said[1:])
    if body := _body(plan, named):
        made["requestBody"] = {"required": bool(plan.least or plan.body is not None), "content": body}
    return made


_PLAIN = str.maketrans(dict.fromkeys("/{}.-:", "_"))


def _path(route: APIRoute) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for one in route.dependant.path_params
    ]


def _query(plan: Plan, named: _Schemas) -> list[dict[str, Any]]:
    if plan.options is Nothing:
        return []
    properties, required = named.fields(plan.options)
    # What a photograph is sent with may be sent beside it, too.
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required and not plan.photos,
            "schema": _textual(schema),
        }
        for name, schema in properties.items()
    ]


def _headers(plan: Plan) -> list[dict[str, Any]]:
    wanted = []
    if plan.repeatable:
        wanted.append(("idempotency-key", r"^[!-~]{1,200}$"))
    if plan.etag and plan.body is not None:
        wanted.append(("if-match", r'^(\*|(W/)?"\d{1,9}")$'))
    return [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string", "pattern": pattern}}
        for name, pattern in wanted
    ]


def _body(plan: Plan, named: _Schemas) -> dict[str, Any]:
    if plan.body is not None:
        return {_JSON: {"schema": named.of(plan.body)}}
    if not plan.photos:
        return {}
    options, required = ({}, []) if plan.options is Nothing else named.fields(plan.options)
    fields = plan.photos if plan.least == 2 else plan.photos[:1]

    def form(photo: dict[str, Any]) -> dict[str, Any]:
        many: dict[str, Any] = {"type": "array", "items": photo, "minItems": max(plan.least, 1)}
        photos = dict.fromkeys(fields, many if plan.several else photo)
        wanted = [*(fields if plan.least else ()), *required]
        return {"type": "object", "properties": {**photos, **options}, "required": wanted}

    content = {"multipart/form-data": {"schema": form(_BINARY)}, _JSON: {"schema": form(_BASE64)}}
    if plan.least == 1 and not required:
        content |= {"image/*": {"schema": {}}, "application/octet-stream": {"schema": {}}}
    return content


def _answer(kind: Any, plan: Plan, named: _Schemas) -> dict[str, Any]:  # noqa: ANN401 - a type or a media type
    if kind is None:
        return {"description": "Done."}
    if isinstance(kind, str):
        return {"description": "A file.", "content": {kind: {"schema": {}}}}
    answer: dict[str, Any] = {"description": _said(kind), "content": {_JSON: {"schema": named.of(kind)}}}
    if plan.etag:
        answer["headers"] = {"etag": {"schema": {"type": "string"}}}
    return answer


def _said(kind: Any) -> str:  # noqa: ANN401 - a type
    return str((get_origin(kind) or kind).__doc__ or "").strip().split("\n")[0] or "The answer."


def _textual(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as a query can satisfy it: null cannot be said there."""
    if "anyOf" in schema:
        left = [one for one in schema["anyOf"] if one != {"type": "null"}]
        rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
        return {**rest, **left[0]} if len(left) == 1 else {**rest, "anyOf": left}
    return schema
