"""Processes that set documents, kept from one test to the next: each start takes as long as some ten documents."""

from collections import defaultdict
from typing import Any, ClassVar

import pytest

from shared.rendering import press
from shared.rendering.binding import CannotBeBound
from shared.rendering.press import CannotBeSet


class _KeptChild(press._Child):
    """Looks new to each press; rests when a press ends it, unless its last order went without an answer."""

    _resting: ClassVar[defaultdict[tuple[str, int], list["_KeptChild"]]] = defaultdict(list)
    _answered = True

    def __new__(cls, module: str, memory: int) -> "_KeptChild":
        resting = cls._resting[module, memory]
        while resting:
            child = resting.pop()
            if child._process.poll() is None:
                return child
        return super().__new__(cls)

    def __init__(self, module: str, memory: int) -> None:
        if not hasattr(self, "_kind"):
            super().__init__(module, memory)
            self._kind = module, memory

    def do(self, order: Any) -> bytes:
        self._answered = False
        try:
            made = super().do(order)
        except (CannotBeSet, CannotBeBound):
            self._answered = self._process.poll() is None
            raise
        self._answered = True
        return made

    def end(self) -> None:
        if self._answered and self._process.poll() is None:
            self._resting[self._kind].append(self)
        else:
            super().end()


def keep_children(patch: pytest.MonkeyPatch) -> None:
    """Of every press that needs a child until the patch is undone."""
    patch.setattr(press, "_Child", _KeptChild)


def end_children() -> None:
    while _KeptChild._resting:
        for child in _KeptChild._resting.popitem()[1]:
            press._Child.end(child)
