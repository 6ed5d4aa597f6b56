"""The OpenAPI documents in docs/ are what the apps say of themselves, and valid."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from services.cli.maintaining import openapi_json
from shared.names import SERVICES

DOCUMENTS = Path(__file__).parents[3] / "docs" / "openapi"


@pytest.mark.parametrize("service", SERVICES)
def test_the_kept_document_is_current(service: str) -> None:
    kept = (DOCUMENTS / f"{service}.json").read_text(encoding="utf-8")
    assert kept == openapi_json(service), f"run: justera openapi {service} --out docs/openapi/{service}.json"


@pytest.mark.parametrize("service", SERVICES)
def test_an_independent_validator_takes_it(service: str) -> None:
    document = json.loads(openapi_json(service))
    validate(document)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert {"4XX", "503"} <= operation["responses"].keys(), path
            assert operation.get("security") or path == "/operations/name" or path.startswith("/oparl"), path


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_a_summary_for_people(service: str) -> None:
    """Not the function's name."""
    for path, operations in json.loads(openapi_json(service))["paths"].items():
        for operation in operations.values():
            summary = operation["summary"]
            assert " " in summary, path
            assert not operation["operationId"].startswith(summary.lower().replace(" ", "_")), path
            assert len(summary) <= 110, path


@pytest.mark.parametrize("service", SERVICES)
def test_every_body_and_every_answer_has_an_example_that_is_one(service: str) -> None:
    document = json.loads(openapi_json(service))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for schema in _json_schemas(operation):
                reference = schema.get("$ref") or schema.get("items", {}).get("$ref", "")
                if not reference:
                    continue  # told by its own words: which service answers, a file's JSON
                name = reference.rpartition("/")[2]
                [example] = document["components"]["schemas"][name].get("examples", [None])
                assert example is not None, f"{path}: {name} has no example in services/{service}/examples.yaml"
                validator = Draft202012Validator({"$ref": reference, "components": document["components"]})
                assert [error.message for error in validator.iter_errors(example)] == [], f"{path}: {name}"


def _json_schemas(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    parts = [operation.get("requestBody", {})]
    parts += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for part in parts:
        if "application/json" in part.get("content", {}):
            yield part["content"]["application/json"].get("schema", {})
