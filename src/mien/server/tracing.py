"""Traces for OpenTelemetry, if settings name a collector: a span for each request, without what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import Scope

from mien.errors import ExtraMissing

_SERVER_ERROR = 500


class Tracing:
    """Spans of requests; without an address nothing is traced.

    Args:
        address: Of the collector, OTLP over HTTP.

    Raises:
        ExtraMissing: The packages that send traces are not installed.
    """

    def __init__(self, address: str | None) -> None:
        self._tracer: Any = None
        self._provider: Any = None
        if address is None:
            return
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise ExtraMissing.of("tracing", "Traces need OpenTelemetry.") from error
        # A provider of its own: the global one is the application's that embeds us.
        self._provider = TracerProvider(resource=Resource.create({"service.name": "mien"}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
        self._tracer = self._provider.get_tracer("mien")

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Callable[[int], None]]:
        """A span around a request; gives what is to be told the status."""
        if self._tracer is None:
            yield lambda _status: None
            return
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carried = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        parent = TraceContextTextMapPropagator().extract(carried)
        with self._tracer.start_as_current_span(scope["method"], parent, SpanKind.SERVER) as span:

            def told(status: int) -> None:
                route = getattr(scope.get("route"), "path", "")
                span.update_name(f"{scope['method']} {route}".strip())
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= _SERVER_ERROR:
                    span.set_status(StatusCode.ERROR)

            yield told

    def close(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._provider.shutdown()
