"""The pages' texts: one YAML file per language and package, nested by page, looked up by dotted keys.

Texts are plain: no markup. `{name}` is filled in by `str.format`; templates escape the result as a whole.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

Language = Literal["sv", "en"]
LANGUAGES: tuple[Language, ...] = ("sv", "en")

# Some eight times as fast, where PyYAML was built with it.
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Catalogue:
    """The texts of some packages; a later package's text replaces an earlier one's of the same key."""

    def __init__(self, *packages: str) -> None:
        self._texts: dict[Language, dict[str, str]] = {language: {} for language in LANGUAGES}
        for package in packages:
            for language in LANGUAGES:
                self._texts[language].update(_read(package, language))

    def text(self, language: Language, key: str, /, **values: object) -> str:
        """Of a `number` that is 1, the text `key` with `_one` behind it, where there is one.

        Raises KeyError for a key or a value that is missing: a bug of ours, which a test finds."""
        texts = self._texts[language]
        one = texts.get(f"{key}_one") if values.get("number") == 1 else None
        return (one or texts[key]).format(**values)

    def has(self, key: str) -> bool:
        return all(key in texts for texts in self._texts.values())

    def keys(self, language: Language) -> Mapping[str, str]:
        """Every key with its text as written."""
        return self._texts[language]


@cache
def _read(package: str, language: Language) -> Mapping[str, str]:
    """Once a process: parsing costs more than all else that builds a page's look."""
    content = files(package).joinpath("texts", f"{language}.yaml").read_text(encoding="utf-8")
    return _flat(yaml.load(content, _Loader))  # noqa: S506 - a safe one


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat
