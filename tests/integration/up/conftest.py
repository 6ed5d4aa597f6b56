"""A `justera up` that ends with the test, however the test ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.up.running import Up


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Not started."""
    made = Up(tmp_path / "up")
    yield made
    made.end()
