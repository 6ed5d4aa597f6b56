"""What the image is made of, on standard output as CycloneDX 1.6: each package, its version, licence and origin.

Run it by the Python whose packages are meant. The same packages make the same bytes: it bears neither time nor number.
"""

import json
import re
from email.message import Message
from importlib.metadata import Distribution, distributions
from typing import Any, cast

_LICENCE = "License :: OSI Approved :: "


def bill(found: list[Distribution]) -> dict[str, Any]:
    """`found`: justera itself among them."""
    by_name = {_name(one): one for one in found}
    components = {name: _component(name, one) for name, one in sorted(by_name.items())}
    product = components.pop("justera") | {"type": "application"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": product},
        "components": list(components.values()),
        "dependencies": [
            {
                "ref": _ref(name, one),
                "dependsOn": sorted(_ref(other, by_name[other]) for other in _needs(one) & {*by_name}),
            }
            for name, one in sorted(by_name.items())
        ],
    }


def _component(name: str, one: Distribution) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "library", "bom-ref": _ref(name, one), "name": name, "version": one.version}
    if licences := _licences(cast(Message, one.metadata)):
        made["licenses"] = licences
    return made | {"purl": _ref(name, one)}


def _licences(metadata: Message) -> list[dict[str, Any]]:
    """An SPDX expression where the package has one, else what it calls its licence: some hold the whole text there."""
    if expression := metadata.get("License-Expression"):
        return [{"expression": expression}]
    classified = [one.removeprefix(_LICENCE) for one in metadata.get_all("Classifier", []) if one.startswith(_LICENCE)]
    named = [(metadata.get("License") or "").strip().partition("\n")[0]]
    return [{"license": {"name": one}} for one in sorted({*(classified or named)} - {""})]


def _needs(one: Distribution) -> set[str]:
    """By name, also what only an extra asks for: of all, what is there counts."""
    return {_normal(match[0]) for line in one.requires or [] if (match := re.match(r"[A-Za-z0-9._-]+", line))}


def _name(one: Distribution) -> str:
    return _normal(cast(Message, one.metadata)["Name"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _ref(name: str, one: Distribution) -> str:
    return f"pkg:pypi/{name}@{one.version}"


if __name__ == "__main__":
    print(json.dumps(bill(list(distributions())), indent=1))
