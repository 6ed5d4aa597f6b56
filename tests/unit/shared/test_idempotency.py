"""Which routes take an `Idempotency-Key`: all by which something is changed."""

import json

import pytest

from services.cli.maintaining import openapi_json
from shared.names import SERVICES

# Repeating these does no harm: what was handled is gone, and consumers drop events that they have had.
_WITHOUT = {
    "/operations/dead-letters/{letter_id}/retry",
    "/operations/dead-letters/{letter_id}/drop",
    "/operations/republish",
    "/plans/check",  # changes nothing
    "/register/check",  # nor does this
    "/meetings/{meeting_id}/minutes/word",  # nor this
    "/meetings/{meeting_id}/strike/check",  # nor this
    "/meetings/{meeting_id}/publication/preview",  # nor this
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_post_takes_a_key(service: str) -> None:
    document = json.loads(openapi_json(service))
    taking = {
        path: any(parameter["name"] == "Idempotency-Key" for parameter in operations["post"].get("parameters", []))
        for path, operations in document["paths"].items()
        if "post" in operations
    }
    assert {path for path, takes in taking.items() if not takes} <= _WITHOUT
