"""What minutes were signed in stays: the final copy, the public one and an extract are set again, years later."""

import hashlib
from pathlib import Path

import pytest

from shared.rendering import render
from shared.rendering.minutes import CURRENT_TEMPLATE

_TEMPLATES = Path(render.__file__).parent / "templates"
_DIGESTS = {
    1: "3821e5c6e2d867b5dd18951f99d5937919f8965092de9655a56b131d33e49c09",
    2: "411a922631bd8d26c3c47d1907bae24d2021907b0f2068d3a8de0369f56c33e0",
    3: "32174431c59d234e71d8eee9cfd7a77af1b8ae74c60725d7b57434843df78a61",
}
"""Of each template that is followed by another. A change to one of these belongs in a new folder."""


def digest(folder: Path) -> str:
    """Of each file's name and bytes, in the order of names."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def test_each_template_but_the_one_in_use_has_its_digest_here() -> None:
    assert list(_DIGESTS) == list(range(1, CURRENT_TEMPLATE))
    assert {f"v{number}" for number in (*_DIGESTS, CURRENT_TEMPLATE)} == {
        path.name for path in _TEMPLATES.iterdir() if path.name[1:].isdecimal()
    }


@pytest.mark.parametrize("number", _DIGESTS)
def test_an_older_template_is_as_it_was(number: int) -> None:
    assert digest(_TEMPLATES / f"v{number}") == _DIGESTS[number]
