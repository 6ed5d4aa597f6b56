"""What is under `tests/integration` needs servers, a browser or files; what does not, belongs in `tests/unit`."""

from collections.abc import Iterator

import pytest

from shared.row_security import for_all
from tests.support.presses import end_children, keep_children


@pytest.fixture(autouse=True)
def for_whichever_organisation() -> Iterator[None]:
    """A test asks commands and tables what it likes, without a door. Requests, batches and workers do not inherit this:
    each begins with no organisation."""
    with for_all("a test"):
        yield


@pytest.fixture(autouse=True)
def kept_presses(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_children(monkeypatch)


@pytest.fixture(autouse=True, scope="session")
def _presses_end() -> Iterator[None]:
    yield
    end_children()
