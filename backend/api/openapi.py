"""Writes the API's description (OpenAPI 3.1) from the declared endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from backend import errors
from backend.api.authentication import COOKIE, CSRF_HEADER
from backend.api.endpoints import Endpoint
from backend.api.errors import (
    BadRequest,
    ErrorAnswer,
    InternalError,
    TooLarge,
    TooSlow,
    WrongMediaType,
    status_of,
)

_REF = "#/components/schemas/{model}"


def describe(endpoints: Iterable[Endpoint[Any]], version: str) -> dict[str, Any]:
    """Describes all endpoints.

    Args:
        endpoints: In the order in which they are to be shown.
        version: Of the software.

    Returns:
        An OpenAPI 3.1 document, ready for JSON.
    """
    listed = list(endpoints)
    models: list[tuple[type[BaseModel], Any]] = [(ErrorAnswer, "serialization")]
    for endpoint in listed:
        if endpoint.takes is not None:
            models.append((endpoint.takes, "validation"))
        if endpoint.gives is not None:
            models.append((endpoint.gives, "serialization"))
    names, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    schemas: dict[str, Any] = definitions.get("$defs", {})
    paths: dict[str, Any] = {}
    unused: set[str] = set()
    for endpoint in listed:
        operation = _operation(endpoint, names, schemas, unused)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    for name in unused:
        schemas.pop(name, None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Qifu 企服助手",
            "version": version,
            "description": (
                "Ask, file an appeal, follow it, and handle it at a desk. All JSON is UTF-8, all times are "
                "ISO 8601 with an offset, and every error has the shape of `ErrorAnswer`."
            ),
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in listed)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": f"Requests that change something also need the header {CSRF_HEADER}.",
                },
            },
        },
    }


def error_classes(endpoint: Endpoint[Any]) -> tuple[type[errors.QifuError], ...]:
    """All errors that an endpoint may answer: its own, and those that follow from its declaration."""
    found: list[type[errors.QifuError]] = [InternalError]
    if (endpoint.path.startswith("/api/") and endpoint.takes is not None) or endpoint.access == "staff":
        found += [errors.Unavailable]
    if endpoint.reads_body:
        found += [BadRequest, TooSlow, TooLarge, WrongMediaType]
    if endpoint.other_fields:
        found.append(errors.InvalidInput)
    if endpoint.path_fields:
        found.append(errors.NotFound)
    if endpoint.access == "staff":
        found += [errors.NotAuthenticated, errors.NotAllowed]
    return tuple(dict.fromkeys([*found, *endpoint.errors]))


def _operation(
    endpoint: Endpoint[Any], names: Any, schemas: dict[str, Any], unused: set[str]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": _responses(endpoint, names),
    }
    if endpoint.access == "staff":
        operation["security"] = [{"token": []}, {"session": []}]
    if endpoint.takes is None:
        return operation
    reference = names[(endpoint.takes, "validation")]
    schema = schemas[reference["$ref"].rsplit("/", 1)[-1]]
    parameters = [_parameter(name, "path", schema) for name in endpoint.path_fields]
    if endpoint.method == "GET":
        parameters += [_parameter(name, "query", schema) for name in endpoint.other_fields]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.reads_body:
        if endpoint.whole_body:
            body = deepcopy(schema["properties"][endpoint.whole_body])
        elif endpoint.path_fields:
            body = _without(schema, endpoint.path_fields)
        else:
            body = reference
        required = bool(endpoint.whole_body) or bool(
            set(schema.get("required", ())) - set(endpoint.path_fields)
        )
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": body}}}
    if endpoint.method == "GET" or endpoint.path_fields:
        unused.add(reference["$ref"].rsplit("/", 1)[-1])
    return operation


def _responses(endpoint: Endpoint[Any], names: Any) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "OK" if endpoint.status == 200 else "Created"}
    if endpoint.gives is not None:
        success["content"] = {endpoint.media_type: {"schema": names[(endpoint.gives, "serialization")]}}
    elif endpoint.media_type:
        success["content"] = {endpoint.media_type: {}}
    responses = {str(endpoint.status): success}
    responses |= {
        str(status): {**success, "description": "The same, not in order"} for status in endpoint.also
    }
    content = {"application/json": {"schema": names[(ErrorAnswer, "serialization")]}}
    codes: dict[int, list[str]] = {}
    for error in error_classes(endpoint):
        codes.setdefault(status_of(error), []).append(error.code)
    for status, which in sorted(codes.items()):
        responses[str(status)] = {"description": ", ".join(f"`{code}`" for code in which), "content": content}
    return responses


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    found = deepcopy(schema["properties"][name])
    parameter = {
        "name": name,
        "in": place,
        "required": place == "path" or name in schema.get("required", ()),
        "schema": found,
    }
    if "description" in found:
        parameter["description"] = found.pop("description")
    return parameter


def _without(schema: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    body = deepcopy(schema)
    body["properties"] = {name: value for name, value in schema["properties"].items() if name not in fields}
    required = [name for name in schema.get("required", ()) if name not in fields]
    body.pop("required", None)
    if required:
        body["required"] = required
    return body
