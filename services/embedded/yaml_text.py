"""YAML as plain text: every scalar a string, no aliases (a few lines of them grow without bound), no double keys."""

from typing import Any

import yaml

from shared.errors import InvalidInput


class _PlainLoader(yaml.BaseLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [getattr(key, "value", None) for key, _ in node.value]
        doubles = {str(key) for key in keys if keys.count(key) > 1}
        if doubles:
            raise yaml.YAMLError(f"{sorted(doubles)[0]} is given twice")
        return dict(super().construct_mapping(node, deep=deep))


def load_plain(text: str) -> Any:
    """Raises InvalidInput with one line that says where."""
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a BaseLoader: strings, lists and maps only)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InvalidInput(f"{line}{error.problem or 'not YAML'}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        raise InvalidInput(reason) from error
