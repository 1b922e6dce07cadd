"""Bodies made from PacketFabric's OpenAPI description, with a text of the test in every string."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Fill = Callable[[str, dict[str, Any]], object]
"""Returns the string for a path such as ``0.cloud_settings.name`` and its schema."""


def resolved(openapi: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references at its top; parts of ``allOf`` are one object."""
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "allOf" in schema:
        properties: dict[str, Any] = {}
        for part in schema["allOf"]:
            properties |= resolved(openapi, part).get("properties", {})
        return {"type": "object", "properties": properties}
    return schema


def operation(openapi: Any, path: str) -> dict[str, Any]:
    """The GET operation of a path, whatever the names of its parameters are."""
    # Two paths differ only in the name of their parameter.
    path = path.replace("/v2/billing/services/{id}", "/v2/billing/services/{account_uuid}")
    if path in openapi["paths"]:
        return openapi["paths"][path]["get"]  # type: ignore[no-any-return]
    anonymous = re.sub(r"\{.*?\}|(?<=/rate/)[bp]ps", "{}", path)
    found = [
        item["get"]
        for template, item in openapi["paths"].items()
        if "get" in item and re.sub(r"\{.*?\}", "{}", template) == anonymous
    ]
    assert found, f"{path} is not described"
    return found[0]  # type: ignore[no-any-return]


def response_schema(openapi: Any, path: str) -> dict[str, Any]:
    """The schema of the response with status 200."""
    response = operation(openapi, path)["responses"]["200"]
    if "$ref" in response:
        response = openapi["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return resolved(openapi, response["content"]["application/json"]["schema"])


def body(openapi: Any, schema: dict[str, Any], fill: Fill, path: str = "") -> Any:
    """A value with every described property."""
    schema = resolved(openapi, schema)
    if "properties" in schema:
        return {
            name: body(openapi, part, fill, f"{path}.{name}".lstrip("."))
            for name, part in schema["properties"].items()
        }
    if schema.get("type") == "array":
        return [body(openapi, schema["items"], fill, path)]
    if schema.get("type") == "string":
        return fill(path, schema)
    defaults = {"integer": 7, "number": 7.0, "boolean": False}
    return defaults.get(str(schema.get("type")), {})
