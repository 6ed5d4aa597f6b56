"""What is in the image, by `-m image` only: each build installs all packages anew."""

from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "image: builds what the image holds; `make image-check`")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Neither the quick nor the slow run takes them."""
    return None if "image" in config.getoption("markexpr") else True
