"""A service built for its documentation only: with throw-away keys, connected to nothing."""

from obstore.store import MemoryStore
from pydantic import SecretStr

from services.embedded.single import BUILDERS
from shared.auth import Access
from shared.blobs import BlobStore
from shared.clock import SystemClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.service import Service
from shared.settings import Settings


def documented_service(name: str) -> Service:
    """Its `app` knows every route; nothing of it may be started."""
    keys = SecretStr(new_keys())
    settings = Settings(
        link_keys=keys,
        copy_link_keys=keys,
        member_link_keys=keys,
        bounce_keys=keys,
        event_keys=SecretStr(new_event_keys()),
    )
    return BUILDERS[name](settings, clock=SystemClock(), access=Access((), bytes(32)), blobs=BlobStore(MemoryStore()))
