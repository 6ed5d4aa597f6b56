"""A real OpenTelemetry collector, and what it passes on: `main.go` here, built by `make collector`."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.support.parts import missing
from tests.support.processes import free_ports

_BUILT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "justera" / "bin" / "otelcol"
_CONFIGURATION = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
exporters:
  otlphttp: {traces_endpoint: "http://127.0.0.1:%d/v1/traces", encoding: json, compression: none}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [otlphttp]}}
"""


class Collector:
    """`endpoint`: where a service sends its spans. `process`: the collector itself."""

    def __init__(self, endpoint: str, process: "subprocess.Popen[bytes]") -> None:
        self.endpoint = endpoint
        self.process = process
        self.batches: list[dict[str, Any]] = []

    def spans(self) -> list[dict[str, Any]]:
        """As OTLP's JSON has them, each with its service's name as `service`."""
        return [
            {**span, "service": _named(batch["resource"]["attributes"])["service.name"]}
            for whole in self.batches
            for batch in whole["resourceSpans"]
            for scope in batch["scopeSpans"]
            for span in scope["spans"]
        ]


def _named(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


@contextmanager
def collecting(folder: Path) -> Iterator[Collector]:
    """Skips the test, or fails it where `otelcol` is required, when there is none."""
    program = str(_BUILT) if _BUILT.is_file() else shutil.which("otelcol")
    if program is None:
        missing("otelcol", "the collector is not built: `make collector` does")
    taken: list[Collector] = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken[0].batches.append(json.loads(body))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    (port,) = free_ports(1)
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as sink:
        configuration = folder / "collector.yaml"
        configuration.write_text(_CONFIGURATION % (port, sink.server_address[1]), encoding="utf-8")
        process = subprocess.Popen(
            [program, "--config", f"file:{configuration}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        taken.append(Collector(f"http://127.0.0.1:{port}", process))
        Thread(target=sink.serve_forever, daemon=True).start()
        try:
            yield taken[0]
        finally:
            process.terminate()
            process.wait(10)
            sink.shutdown()
