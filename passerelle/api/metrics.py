"""What is counted, for Prometheus: requests by route pattern, method and status; never an id.

https://prometheus.io/docs/instrumenting/exposition_formats/ . Routes are patterns of a fixed table,
so that the number of series is bounded.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
JOB_STATES = ("waiting", "leased", "done", "dead")
OTHER = "OTHER"
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "passerelle_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "passerelle_request_seconds",
            "Time from the request to the end of its answer.",
            ("route", "method"),
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self.jobs = Gauge(
            "passerelle_jobs",
            "Jobs of the outbox.",
            ("kind", "state"),
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request that has been answered."""
        key = (route, method, status)
        known = self._known.get(key)
        if known is None:
            named = method if method in METHODS else OTHER
            known = (
                self.requests.labels(route, named, str(status)),
                self.seconds.labels(route, named),
            )
            if named != OTHER:
                self._known[key] = known
        known[0].inc()
        known[1].observe(seconds)

    def set_jobs(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Take over how many jobs there are by (kind, state); what there is no more is 0."""
        self.jobs.clear()
        for kind in {kind for kind, _ in counts}:
            for state in JOB_STATES:
                self.jobs.labels(kind, state).set(counts.get((kind, state), 0))

    def expose(self) -> bytes:
        """Write the figures as Prometheus reads them."""
        return generate_latest(self.registry)
