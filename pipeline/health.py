"""Prometheus metrics and health over HTTP, on this machine only.

``/healthz``: the daemon itself goes round. ``/readyz``: all stages run. Both answer 200 or 503.
"""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from models.errors import TransportError
from pipeline.status import status_of

if TYPE_CHECKING:
    from pipeline.daemon import Daemon

ALIVE_SECONDS: Final = 10.0
"""A daemon that goes round at least once a second has a problem when it did not for so long."""


class HealthServer:
    """An HTTP server in a thread of its own."""

    def __init__(self, daemon: Daemon, port: int) -> None:
        """Raises TransportError when the port can't be had."""
        registry = CollectorRegistry()
        registry.register(_Collector(daemon))

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, kind, body = _answer(daemon, registry, self.path)
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing: somebody asks every few seconds."""

        try:
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise TransportError(
                f"metrics.port: 127.0.0.1:{port}: {error.strerror}; choose another port",
                code="in-use",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="health", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _answer(daemon: Daemon, registry: CollectorRegistry, path: str) -> tuple[int, str, bytes]:
    text = "text/plain; charset=utf-8"
    if path == "/metrics":
        return 200, exposition.CONTENT_TYPE_LATEST, exposition.generate_latest(registry)
    if path == "/healthz":
        age = time.monotonic() - daemon.ticked
        return (200 if age < ALIVE_SECONDS else 503), text, f"{age:.1f} s ago\n".encode()
    if path == "/readyz":
        return (200 if daemon.state == "ready" else 503), text, f"{daemon.state}\n".encode()
    return 404, text, b"/metrics, /healthz, /readyz\n"


class _Collector:
    """Makes metrics of the status when they are asked for."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def collect(self) -> Iterator[Metric]:
        status = status_of(self._daemon)
        ready = GaugeMetricFamily("intentd_ready", "1 while all stages run")
        ready.add_metric([], float(status.state == "ready"))
        yield ready
        yield GaugeMetricFamily("intentd_subscribers", "Apps", value=status.subscribers)
        yield GaugeMetricFamily("intentd_uptime_seconds", "Since start", value=status.uptime)
        gauges = {
            "up": "1 while the stage runs",
            "age_seconds": "Since it was last heard of",
            "idle_seconds": "Since it last worked",
            "queue": "Messages that wait in it",
        }
        for name, meaning in gauges.items():
            family = GaugeMetricFamily(f"intentd_stage_{name}", meaning, labels=["stage"])
            for stage, s in status.stages.items():
                values = {
                    "up": float(s.state in ("running", "finished")),
                    "age_seconds": s.age,
                    "idle_seconds": s.idle,
                    "queue": s.queue,
                }
                family.add_metric([stage], values[name])
            yield family
        for name, meaning in {"restarts": "Times it was started again", "dropped": "Lost"}.items():
            counter = CounterMetricFamily(f"intentd_stage_{name}", meaning, labels=["stage"])
            for stage, s in status.stages.items():
                counter.add_metric([stage], getattr(s, name))
            yield counter
        latency = GaugeMetricFamily(
            "intentd_latency_milliseconds",
            "Percentiles of the last utterances",
            labels=["timing", "quantile"],
        )
        for key, value in status.latency_ms.items():
            timing, _, percent = key.rpartition(".p")
            latency.add_metric([timing, str(int(percent) / 100)], value)
        yield latency
