"""Where the office is."""

from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from services.meetings.main import build
from shared.auth import Access
from shared.blobs import open_blobs
from shared.clock import SystemClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.settings import Settings


@pytest.mark.parametrize(("key", "there"), [(bytes(32), True), (None, False)])
def test_the_office_is_only_where_browsers_can_be_logged_in(key: bytes | None, there: bool, tmp_path: Path) -> None:
    settings = Settings(event_keys=SecretStr(new_event_keys()), member_link_keys=SecretStr(new_keys()))
    service = build(settings, clock=SystemClock(), access=Access((), key), blobs=open_blobs(f"file:{tmp_path}"))
    paths = {route.path for route in iter_route_contexts(service.app.routes)}
    assert any(path.startswith("/office/") for path in paths) is there
    assert {"/bodies", "/my/{token}", "/member/{person_id}"} <= paths
