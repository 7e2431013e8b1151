"""The OpenAPI document as JSON schemas, for tests that compare the body of a response with its documented shape."""

import re
from typing import Any

import jsonschema
import yaml
from django.conf import settings

SCHEMA = yaml.safe_load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text())
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def strict(node: Any) -> Any:
    """Return the schema with its references resolved and with no properties allowed except the documented ones."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return strict(SCHEMA["components"]["schemas"][node["$ref"].rpartition("/")[2]])
    schema = {name: strict(value) for name, value in node.items()}
    # A rule in `anyOf` names only some of the properties, and no type.
    if "properties" in schema and "type" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


def responses_of(method: str, path: str) -> dict[str, Any]:
    """Return the documented responses of a route, by status code."""
    responses: dict[str, Any] = SCHEMA["paths"][path][method.lower()]["responses"]
    return responses


def assert_matches(answer: Any, response: dict[str, Any]) -> None:
    """Assert that the OpenAPI document allows the body of a response, and documents every key in the body."""
    schema = response["content"]["application/json"]["schema"]
    for checked in ({**schema, "components": SCHEMA["components"]}, strict(schema)):
        problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(checked).iter_errors(answer))
        assert problem is None, f"{problem.json_path}: {problem.message}"
