"""What a file that is bound in is called, and why one is not: for whoever has it done, by `press`, in another process.

Apart from `binding`, which loads what reads foreign files: ten megabytes that no service needs itself.
"""

from dataclasses import dataclass
from typing import Literal

Trouble = Literal["damaged", "encrypted", "pages", "layers", "form", "size", "heavy"]


class CannotBeBound(Exception):
    """A file that stays outside, and why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


@dataclass(frozen=True, slots=True)
class BoundFile:
    """A file that follows the section of its number (from 0), under this title, with a mark at the foot of each page.

    `link`: the address that leads to it on our own pages.
    """

    section: int
    title: str
    mark: str
    media_type: str
    link: str
