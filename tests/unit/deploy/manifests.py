"""The files under deploy/, read as data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
OVERLAYS = DEPLOY / "kubernetes" / "overlays"
EXAMPLE = OVERLAYS / "example"
COMPONENTS = DEPLOY / "kubernetes" / "components"


def with_all_components(deploy: Path) -> Path:
    """Adds, to a copy of deploy/, the overlay that is production with every component that it has not got."""
    overlay = deploy / "kubernetes" / "overlays" / "production-with-all"
    overlay.mkdir()
    (production,) = documents(OVERLAYS / "production" / "kustomization.yaml")
    others = sorted({f"../../components/{one.name}" for one in COMPONENTS.iterdir()} - {*production["components"]})
    whole = {
        "namespace": "justera",
        "resources": ["../production"],
        "components": others,
    }
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    return overlay


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def of_kind(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.yaml")):
        yield from (document for document in documents(path) if document.get("kind") == kind)


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = workload["spec"]["template"]["spec"]
    return found


def secret_files(workload: dict[str, Any]) -> set[str]:
    """Names of the files that a pod finds in its folder of secrets."""
    sources = [
        source["secret"]
        for volume in pod(workload)["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
    ]
    return {item["path"] for secret in sources for item in secret["items"]}
