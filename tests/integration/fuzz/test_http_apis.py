"""The HTTP APIs as their OpenAPI documents describe them, by schemathesis: valid requests, and mutated ones."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.auth import Role
from shared.blobs import BlobStore
from shared.clock import ManualClock
from shared.names import SERVICES
from tests.integration.fuzz.conftest import STRANGER, TOKENS
from tests.integration.fuzz.services import stocked
from tests.integration.pages.site import served

pytestmark = pytest.mark.slow

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_EXAMPLES = 8  # of each operation, valid and mutated each
_CALLERS = (*TOKENS.values(), f"{STRANGER}-{Role.OPERATOR}", "nobody", "")


@pytest.mark.parametrize("name", SERVICES)
async def test_every_operation_answers_as_documented(
    name: str, build: Callable[..., Any], clock: ManualClock, blobs: BlobStore
) -> None:
    there = await stocked(name, build, clock, blobs)
    async with served(there.service.app) as base:
        await asyncio.to_thread(_try_all, there.service.app.openapi(), base, there.ids)


def _try_all(document: dict[str, Any], base: str, ids: dict[str, str]) -> None:
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        operation = result.ok()
        assert operation is not None
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(operation, mode, base, ids)


def _try(operation: Any, mode: GenerationMode, base: str, ids: dict[str, str]) -> None:
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=_EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=strategy, known=strategies.booleans(), caller=strategies.sampled_from(_CALLERS))
    def check(case: Any, known: bool, caller: str) -> None:
        if known and case.path_parameters:
            case.path_parameters.update({name: ids[name] for name in case.path_parameters if name in ids})
        if case.query and "wait" in case.query:
            case.query["wait"] = 0
        headers = {"Authorization": f"Bearer {caller}"} if caller else {}
        case.call_and_validate(base_url=base, headers=headers, checks=_CHECKS, timeout=20)

    with suppress(Unsatisfiable):  # an operation without parameters has no invalid request
        check()
