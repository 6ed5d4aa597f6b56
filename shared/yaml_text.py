"""YAML as plain text: every value is text, a list or fields. No `No` that turns false, no dates of YAML's own.

Anchors and aliases are refused, so that a small file cannot unfold into a large one ("billion laughs"); so is a key
that is given twice.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import yaml

from shared.errors import InvalidInput, says

_LOOK = "look at the indentation, colons and quotes there"


def load_plain(text: str, *, where: str, first_line: int = 1) -> object:
    """Raises InvalidInput: `line N: …`, counted from `first_line`, or `{where}: …` when no line can be named."""
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506  (a BaseLoader builds nothing but str, list and dict)
    except _Unfit as error:
        raise error.told(first_line) from None
    except yaml.MarkedYAMLError as error:
        if error.problem_mark is None:
            raise InvalidInput(
                f"{where}: {error.problem or 'not readable as YAML'}", hint=_LOOK, says=says("yaml")
            ) from None
        number = error.problem_mark.line + first_line
        if _is_tab(error.problem_mark):
            tab = says("yaml_tab", number=number)
            raise InvalidInput(f"line {number}: begins with a tab", hint="indent with spaces", says=tab) from None
        said = error.problem or "not readable as YAML"
        raise InvalidInput(f"line {number}: {said}", hint=_LOOK, says=says("yaml_line", number=number)) from None
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


def _is_tab(mark: yaml.Mark) -> bool:
    return mark.buffer is not None and mark.buffer[mark.pointer : mark.pointer + 1] == "\t"


class _Unfit(yaml.YAMLError):
    """YAML that we do not take. `lines`, from 0: where; what `told` makes of their numbers says what is wrong."""

    def __init__(self, told: Callable[..., InvalidInput], *lines: int) -> None:
        super().__init__()
        self._told, self._lines = told, lines

    def told(self, first_line: int) -> InvalidInput:
        return self._told(*(line + first_line for line in self._lines))


def _anchor(number: int) -> InvalidInput:
    problem = "anchors (&) and aliases (*) are not used here"
    return InvalidInput(f"line {number}: {problem}", says=says("yaml_anchor", number=number))


def _odd_key(number: int) -> InvalidInput:
    return InvalidInput(f"line {number}: a key that is no text", says=says("yaml_key", number=number))


def _twice(number: int, first: int, *, key: str) -> InvalidInput:
    return InvalidInput(
        f"line {number}: {key!r} is there twice, first in line {first}",
        hint="put them together, or take one away",
        says=says("yaml_twice", number=number, first=first, given=key),
    )


class _PlainLoader(yaml.BaseLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Unfit(_anchor, event.start_mark.line)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line
            if not isinstance(key, yaml.ScalarNode):
                raise _Unfit(_odd_key, line)
            if key.value in seen:
                raise _Unfit(partial(_twice, key=key.value[:60]), line, seen[key.value])
            seen[key.value] = line
        return super().construct_mapping(node, deep)
