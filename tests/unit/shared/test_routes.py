"""No route of any service is open by oversight."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.archive import main as archive
from services.meetings import main as meetings
from services.notifications import main as notifications
from services.signing import main as signing
from shared.auth import Access, undeclared_routes
from shared.blobs import open_blobs
from shared.clock import SystemClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.service import Service
from shared.settings import load_settings


@pytest.mark.parametrize("build", [meetings.build, signing.build, notifications.build, archive.build])
def test_every_route_declares_who_may_call_it(build: Callable[..., Service], tmp_path: Path) -> None:
    settings = load_settings(
        link_keys=SecretStr(new_keys()),
        copy_link_keys=SecretStr(new_keys()),
        member_link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
        bounce_keys=SecretStr(new_keys()),
        seal_test_authority=tmp_path / "seal",
    )
    service = build(
        settings, clock=SystemClock(), access=Access((), None), blobs=open_blobs(f"file:{tmp_path / 'blobs'}")
    )
    assert undeclared_routes(service.app.routes) == []
    assert len(service.app.routes) > 5
