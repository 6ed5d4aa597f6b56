"""Traces by OpenTelemetry: from a request over its events and their handling to the mail, in one trace.

Off, and of the SDK nothing loaded, unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where spans go. Attributes are ids, types
and names of parts, never an address, a token or a text of people's: a span's path would hold a link's token, and an
exception's message what somebody wrote. So libraries do not trace by themselves: our provider is not the global one.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Context, copy_context
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer

RECEIVED, SENT, ASKED, ANSWERED = SpanKind.CONSUMER, SpanKind.PRODUCER, SpanKind.CLIENT, SpanKind.SERVER

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_MOST_LINKS = 128  # the SDK's own limit
_OFF: AbstractContextManager[Span] = nullcontext(trace.INVALID_SPAN)
_WHERE = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_HOW = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"


class _Provider(Protocol):
    def get_tracer(self, instrumenting_module_name: str, /) -> Tracer: ...


_tracer: Tracer | None = None


def configure(service: str) -> None:
    """As the environment says (OpenTelemetry's own `OTEL_…`). Raises BadConfiguration."""
    environment = os.environ
    wanted = any(environment.get(name) for name in _WHERE) and environment.get("OTEL_TRACES_EXPORTER") != "none"
    if not wanted or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    from shared.settings import BadConfiguration  # which logs, and a log's lines name their trace

    protocol = next((environment[name] for name in _HOW if environment.get(name)), _PROTOCOL)
    if protocol != _PROTOCOL:
        raise BadConfiguration(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol}", hint=f"traces go by {_PROTOCOL} alone")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadConfiguration(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry's SDK is not installed",
            hint="install justera[telemetry], or take the setting away",
        ) from error
    name = environment.get("OTEL_SERVICE_NAME") or f"justera-{service}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)


def use(provider: _Provider | None) -> None:
    """`configure` for a test: where spans go. None: nowhere."""
    global _tracer
    _tracer = provider.get_tracer("justera") if provider is not None else None


def is_on() -> bool:
    return _tracer is not None


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    attributes: Mapping[str, str | int],
    parent: str | None = None,
    links: Iterable[str | None] = (),
) -> AbstractContextManager[Span]:
    """A piece of work. `parent` and `links`: W3C traceparents (of events, say); without a parent, of what is going on.

    The attributes of a failure are its class alone.
    """
    return _OFF if _tracer is None else _span(_tracer, name, kind, attributes, parent, links)


@contextmanager
def _span(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, str | int],
    parent: str | None,
    links: Iterable[str | None],
) -> Iterator[Span]:
    known = (_context_of(one) for one in links)
    linked = [trace.Link(one) for one in known if one is not None][:_MOST_LINKS]
    before = _context_of(parent)
    context = trace.set_span_in_context(NonRecordingSpan(before)) if before is not None else None
    with tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        links=linked,
        record_exception=False,  # both hold its message
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except BaseException as error:
            failed(made, type(error).__name__)
            raise


def failed(made: Span, kind: str) -> None:
    made.set_status(StatusCode.ERROR)
    made.set_attribute("error.type", kind)


def current() -> str | None:
    """The traceparent of what is going on; None when it is not traced."""
    if _tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return _traceparent(context) if context.is_valid else None


def around() -> Context | None:
    """What a piece of work that runs elsewhere needs, so that its events know what they came of."""
    return copy_context() if _tracer is not None else None


def ids() -> dict[str, str]:
    """For a line of a log."""
    if _tracer is None:
        return {}
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def exemplar() -> dict[str, str] | None:
    """For a sample of a metric: the trace that it is of, where that one is kept, else None."""
    context = trace.get_current_span().get_span_context()
    return ids() if context.trace_flags.sampled and _tracer is not None else None


def _traceparent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _context_of(traceparent: str | None) -> SpanContext | None:
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return None
    context = SpanContext(
        int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(int(found[3], 16))
    )
    return context if context.is_valid else None


def add_ids(_: Any, __: str, line: Any) -> Any:
    """A processor of structlog's."""
    if _tracer is not None:
        line.update(ids())
    return line
