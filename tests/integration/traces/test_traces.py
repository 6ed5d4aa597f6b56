"""From a request through outbox, Kafka and consumer to the mail: one trace, and nothing in it that people wrote."""

import json
from collections.abc import Iterator

import httpx
import pytest
import structlog
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.embedded.quiescence import settle
from services.embedded.replay import replaying
from services.embedded.scenario import load_scenario
from shared import tracing
from shared.auth import Role
from shared.logging import add_ids
from tests.support.parts import REPOSITORY

SCENARIO = REPOSITORY / "tests/scenarios/undelivered/scenario.yaml"
SIGNER = "maja.lind@norrdalen.example"
CLIENTS = "00-11111111111111111111111111111111-2222222222222222-01"


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


def named(spans: list[ReadableSpan], name: str) -> list[ReadableSpan]:
    return [one for one in spans if one.name == name]


async def test_a_trace_goes_from_the_request_to_the_mail_and_holds_ids_alone(kept: InMemorySpanExporter) -> None:
    async with replaying(load_scenario(SCENARIO)) as replay:
        create, *_ = load_scenario(SCENARIO).steps
        await replay.take(create)
        services = replay.system.services
        signing: FastAPI = services["signing"].app
        secretary = replay.system.secrets.token(Role.SECRETARY)
        kept.clear()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=signing),
            base_url="http://service.example",
            headers={"authorization": f"Bearer {secretary}", "traceparent": CLIENTS},
        ) as client:
            sent = await client.post(f"/agreements/{replay.agreement_id}/send")
            assert sent.status_code == 200
            await settle(services.values())
            notifications = services["notifications"].commands
            await notifications.deliver_next(replay.system.settings.organisation, SIGNER)
            await settle(services.values())
            mail = (await notifications.deliveries(replay.system.settings.organisation, most=10))[0]
            link = _link_in(notifications.composed(mail).as_string())
            await client.get(f"/s/{link}")
    spans = list(kept.get_finished_spans())
    (request,) = named(spans, "POST /agreements/{agreement_id}/send")
    (sending,) = named(spans, "send mail")
    handled = [one for one in spans if one.name == "process signing.agreement" and _same_trace(one, request)]
    assert _same_trace(sending, request)
    assert request.parent is None  # a client's own is not believed
    assert {one.parent.span_id for one in handled if one.parent} == {request.context.span_id}
    assert sending.parent is not None
    assert sending.parent.span_id in {one.context.span_id for one in handled}
    told = [one for one in spans if one.name == "process notifications.email" and _same_trace(one, request)]
    assert told  # what became of the mail goes on in the same trace
    _batches_link_to(request, spans)
    _hold_ids_alone(spans, link, secretary)


def _batches_link_to(request: ReadableSpan, spans: list[ReadableSpan]) -> None:
    rounds = [one for one in spans if one.name in ("send outbox", "receive notifications")]
    linked = {one.name for one in rounds for link in one.links if link.context.trace_id == request.context.trace_id}
    assert linked == {"send outbox", "receive notifications"}


def _hold_ids_alone(spans: list[ReadableSpan], link: str, token: str) -> None:
    assert {"GET /s/{token}"} <= {one.name for one in spans}
    written = "\n".join(span.to_json() for span in spans)
    scenario = json.dumps(SCENARIO.read_text(encoding="utf-8"))
    assert "norrdalen" in scenario
    for word in ("@", link, token, "norrdalen.example", "Maja", "Lind", "Karin", "Protokoll", "192.0.2"):
        assert word not in written


def _same_trace(one: ReadableSpan, other: ReadableSpan) -> bool:
    return bool(one.context.trace_id == other.context.trace_id)


def _link_in(mail: str) -> str:
    import re

    plain = mail.replace("=\n", "").replace("=3D", "=")
    found = re.search(r"/signing/s/([A-Za-z0-9_.-]+)", plain)
    assert found is not None
    return found[1]


async def test_a_failure_tells_its_class_and_not_what_it_says(kept: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="maja"), tracing.span("work", attributes={}):
        raise ValueError(SIGNER)
    (span,) = kept.get_finished_spans()
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert SIGNER not in span.to_json()


async def test_a_line_of_the_log_names_its_trace(kept: InMemorySpanExporter) -> None:
    with structlog.testing.capture_logs(processors=[add_ids]) as lines, tracing.span("work", attributes={}):
        structlog.get_logger().info("something.done")
    (span,) = kept.get_finished_spans()
    assert lines[0]["trace_id"] == f"{span.context.trace_id:032x}"
    assert lines[0]["span_id"] == f"{span.context.span_id:016x}"
