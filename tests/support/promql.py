"""Which metrics and labels a PromQL expression names, by reading its words. promtool judges the grammar."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_DURATION = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_WORD = re.compile(r"(?<![\w.])([a-zA-Z_:][\w:]*)(\s*\()?")
_OPERATORS = frozenset({"and", "or", "unless", "bool"})
_AGGREGATIONS = re.compile(r"\b(?:sum|max|min|avg|count|topk)\s*(?=(?:by|without)\b)")


@dataclass
class Named:
    """`selected`: metric to the labels that its selectors name, each with the value it is compared with; `grouped`:
    labels by which something is grouped, joined or kept."""

    metrics: set[str] = field(default_factory=set)
    selected: list[tuple[str, str, str, str]] = field(default_factory=list)  # metric, label, operator, value
    grouped: set[str] = field(default_factory=set)


def named_in(expression: str) -> Named:
    found = Named()
    strings: list[str] = []

    def kept(match: re.Match[str]) -> str:
        strings.append(match[0][1:-1])
        return f'"{len(strings) - 1}"'

    text = _AGGREGATIONS.sub("", _STRING.sub(kept, expression))
    for metric, matchers in _SELECTOR.findall(text):
        found.selected.extend((metric, *one) for one in _matchers(matchers, strings))
    text = re.sub(r"\{[^}]*\}", "", text)
    for labels in _GROUPING.findall(text):
        found.grouped.update(label.strip() for label in labels.split(",") if label.strip())
    text = _DURATION.sub("", _GROUPING.sub("", text))
    for word, opens in _WORD.findall(text):
        if not opens and word not in _OPERATORS:
            found.metrics.add(word)
    return found


def _matchers(text: str, strings: list[str]) -> Iterator[tuple[str, str, str]]:
    for label, operator, position in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"(\d+)"', text):
        yield label, operator, strings[int(position)]
