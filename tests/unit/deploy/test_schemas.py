"""Resources of other people's kinds (Strimzi, KEDA, …) keep to those people's schemas. Needs no cluster.

A real API server says the same and more, of our own kinds' resources, too: `make cluster-check`.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.unit.deploy.manifests import DEPLOY, ROOT, documents

SCHEMAS = ROOT / "tests" / "cluster" / "schemas"

Resource = dict[str, Any]


@cache
def schemas() -> dict[tuple[str, str], Draft202012Validator]:
    """By apiVersion and kind; a field that the kind does not have is refused."""
    found = {}
    for path in sorted(SCHEMAS.glob("*.json")):
        spec = json.loads(path.read_text())["spec"]
        for version in spec["versions"]:
            schema = _strict(version["schema"]["openAPIV3Schema"])
            # What every resource has; the API server's own schema rules it.
            schema["properties"] |= {"metadata": {"type": "object"}}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = Draft202012Validator(schema)
    return found


def _strict(schema: Any) -> Any:
    """A structural schema's rules of its own, told in JSON Schema's words."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items() if key not in ("format", "properties")}
    if "properties" in schema:
        strict["properties"] = {name: _strict(one) for name, one in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            strict.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        strict["type"] = ["integer", "string"]
    if str(schema.get("pattern", "")).startswith("^(?i)"):  # as Go reads it
        strict["pattern"] = "(?i)^" + schema["pattern"].removeprefix("^(?i)")
    if schema.get("nullable") and "type" in strict:
        strict["type"] = [strict["type"], "null"]
    return strict


def resources() -> Iterator[tuple[Path, Resource]]:
    for path in sorted(DEPLOY.rglob("*.yaml")):
        for one in documents(path):
            if "." in one.get("apiVersion", "").partition("/")[0] and "metadata" in one:
                yield path, one


def others() -> list[Any]:
    """A resource whose group is of somebody else: Kubernetes' own end in k8s.io or have no dot."""
    return [
        pytest.param(one, id=f"{path.parent.name}/{one['kind']}/{one['metadata']['name']}")
        for path, one in resources()
        if not one["apiVersion"].partition("/")[0].endswith(".k8s.io")
    ]


@pytest.mark.parametrize("resource", others())
def test_a_resource_keeps_to_its_kinds_schema(resource: Resource) -> None:
    schemas()[resource["apiVersion"], resource["kind"]].validate(resource)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"partition": 12}, "Additional properties are not allowed"),
        ({"partitions": "twelve"}, "is not of type 'integer'"),
        ({"partitions": 0}, "less than the minimum"),
    ],
)
def test_a_slip_is_found(change: Resource, complaint: str) -> None:
    (topic, *_) = (one for _, one in resources() if one["kind"] == "KafkaTopic")
    with pytest.raises(ValidationError, match=complaint):
        schemas()[topic["apiVersion"], topic["kind"]].validate({**topic, "spec": {**topic["spec"], **change}})
