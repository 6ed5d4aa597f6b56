"""YAML as plain text: every value is text, a list or fields. No `No` that turns false, no dates of YAML's own.

Anchors and aliases are refused, so that a small file cannot unfold into a large one ("billion laughs"); so is a key
that is given twice.
"""

from collections.abc import Hashable
from typing import Any

import yaml

from shared.errors import InvalidInput, says


def load_plain(text: str, *, where: str, first_line: int = 1) -> object:
    """Raises InvalidInput: `line N: …`, counted from `first_line`, or `{where}: …` when no line can be named."""
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506  (a BaseLoader builds nothing but str, list and dict)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + first_line}" if error.problem_mark else where
        at = says("yaml_line", number=error.problem_mark.line + first_line) if error.problem_mark else says("yaml")
        raise InvalidInput(f"{line}: {error.problem or 'not readable as YAML'}", says=at) from None
    except (yaml.YAMLError, ValueError):
        raise InvalidInput(f"{where}: not readable as YAML", says=says("yaml")) from None
    except RecursionError:
        raise InvalidInput(f"{where}: nested too deeply", says=says("yaml")) from None


def lines_of_fields(text: str, *, first_line: int = 1) -> dict[str, int]:
    """Where each field stands, and each entry of one that is a list: `present`, `present, number 2`.

    Of a text that `load_plain` reads; of another, nothing.
    """
    try:
        node = yaml.compose(text, _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    lines: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        lines[key.value] = key.start_mark.line + first_line
        for number, entry in enumerate(value.value if isinstance(value, yaml.SequenceNode) else (), 1):
            lines[f"{key.value}, number {number}"] = entry.start_mark.line + first_line
    return lines


class _PlainLoader(yaml.BaseLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="anchors (&) and aliases (*) are not used here", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise yaml.MarkedYAMLError(problem="a key that is no text, or given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
