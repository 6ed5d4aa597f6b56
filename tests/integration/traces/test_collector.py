"""A real collector takes what a process sends it by the usual environment, and a process without that sends nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared import tracing
from shared.settings import BadConfiguration
from tests.support.collector import collecting
from tests.support.processes import until

_PROGRAM = """
import sys
from shared import tracing
tracing.configure("signing")
with tracing.span("outer", tracing.ANSWERED, attributes={"http.route": "/s/{token}"}):
    before = tracing.current()
    with tracing.span("inner", attributes={"messaging.batch.message_count": 2}, links=[before, None, "nonsense"]):
        print(tracing.current() or "", "opentelemetry.sdk.trace" in sys.modules)
"""


def run(**environment: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=clean | environment, capture_output=True, text=True, check=True
    )
    return finished.stdout.split()


async def test_a_real_collector_takes_what_is_sent(tmp_path: Path) -> None:
    with collecting(tmp_path) as collector:

        async def arrived() -> list[object] | None:
            run(
                OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=x"
            )
            return collector.spans() or None

        await until(arrived, what="spans that the collector passes on")
        spans = {span["name"]: span for span in collector.spans()}
    outer, inner = spans["outer"], spans["inner"]
    assert outer["service"] == inner["service"] == "justera-signing"
    assert inner["parentSpanId"] == outer["spanId"]
    assert [link["traceId"] for link in inner["links"]] == [outer["traceId"]]
    assert outer["kind"] == 2  # SERVER


def test_without_an_endpoint_nothing_is_loaded_or_traced() -> None:
    assert run() == ["False"]
    assert run(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_SDK_DISABLED="true") == ["False"]


def test_another_protocol_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(BadConfiguration, match="grpc"):
        tracing.configure("signing")


_GLOBAL = """
import asyncio, httpx
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shared.auth import Access
from shared.http import create_app

kept, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
app = create_app("Test", description="", access=Access((), None), max_body_bytes=1000, checks={})

async def ask():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service.example") as client:
        print((await client.get("/health/live?token=secret")).status_code, len(kept.get_finished_spans()))

asyncio.run(ask())
"""


def test_the_web_framework_makes_no_spans_of_its_own() -> None:
    """They would hold path and query, with links' tokens."""
    finished = subprocess.run([sys.executable, "-c", _GLOBAL], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["200", "0"]
