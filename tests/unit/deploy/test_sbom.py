"""The image's bill of materials (deploy/sbom.py): CycloneDX, and the same each time."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.unit.deploy.manifests import DEPLOY


def made() -> str:
    """Of what these tests run on."""
    command = [sys.executable, "-I", str(DEPLOY / "sbom.py")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made())
    return found


def test_it_keeps_to_the_standard_and_is_the_same_again(bill: dict[str, Any]) -> None:
    again = made()
    assert json.loads(again) == bill
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(again) is None


def test_each_package_has_version_origin_and_licence(bill: dict[str, Any]) -> None:
    components = {one["name"]: one for one in bill["components"]}
    assert components["pydantic"]["purl"] == f"pkg:pypi/pydantic@{components['pydantic']['version']}"
    image = re.findall(r"^([a-z0-9-]+)==", (DEPLOY / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(image) > 50
    assert [name for name in image if not components[name].get("licenses")] == []


def test_it_says_what_justera_stands_on(bill: dict[str, Any]) -> None:
    needs = {one["ref"].partition("@")[0]: one["dependsOn"] for one in bill["dependencies"]}
    own = {ref.partition("@")[0] for ref in needs["pkg:pypi/justera"]}
    assert {"pkg:pypi/fastapi", "pkg:pypi/pyhanko"} <= own
    assert "pkg:pypi/starlette" in {ref.partition("@")[0] for ref in needs["pkg:pypi/fastapi"]}
