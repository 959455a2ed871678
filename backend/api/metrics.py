"""Counters for `/metrics`. Labels come from small fixed sets; none is taken from what a person sent."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from backend.supervision.clock import Gauges

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """What is counted."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "qifu_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "qifu_http_request_seconds",
            "Time to answer a request.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._outcomes = Counter(
            "qifu_chat_replies", "Replies in chats by outcome.", ("outcome",), registry=self._registry
        )
        self._filed = Counter("qifu_appeals_filed", "Appeals filed.", ("level",), registry=self._registry)
        self._clock = {
            name: Gauge(f"qifu_clock_{name}", text, registry=self._registry)
            for name, text in (
                ("pending", "Supervision moments that are due and not acted on, after the last pass."),
                ("acted", "Supervision moments acted on since the start."),
                ("lag_seconds", "How long the oldest moment left over by the last pass had been due."),
                ("dead_letters", "Messages that could not be delivered after all tries."),
                ("passes", "Passes of the supervision clock since the start."),
                ("failures", "Passes and deliveries that an error ended early, since the start."),
                ("last_pass_timestamp_seconds", "Unix time of the end of the last pass; 0 before the first."),
            )
        }
        self._bot = Gauge("qifu_bot_up", "1 while the dialogue engine answers.", registry=self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answered request; ``route`` is a template, never a path."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def reply(self, outcome: str) -> None:
        """Counts one reply in a chat."""
        self._outcomes.labels(outcome).inc()

    def filed(self, level: str) -> None:
        """Counts one filed appeal."""
        self._filed.labels(level).inc()

    def clock(self, gauges: Gauges) -> None:
        """Takes over what the supervision clock shows of itself."""
        for name, value in (
            ("pending", gauges.backlog.pending),
            ("acted", gauges.acted),
            ("lag_seconds", gauges.lag_seconds),
            ("dead_letters", gauges.backlog.dead),
            ("passes", gauges.passes),
            ("failures", gauges.failures),
            ("last_pass_timestamp_seconds", gauges.last_pass_at),
        ):
            self._clock[name].set(value)

    def render(self, *, bot_up: bool) -> bytes:
        """Writes everything in Prometheus' text format."""
        self._bot.set(1 if bot_up else 0)
        return generate_latest(self._registry)
