"""Figures of the calls to each ERP endpoint, for the metrics port."""

from typing import Any, NamedTuple, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.erp.traffic import CALLS, Request, Sink
from schemas.catalog import ENDPOINT

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LABEL = "endpoint"


class _Families(NamedTuple):
    """What a process has once, whatever the number of its endpoints."""

    calls: Counter
    requests: Counter
    again: Counter
    seconds: Histogram
    withheld: Counter
    foreign: Gauge
    queued: Gauge
    rate: Gauge
    open: Gauge
    maintenance: Gauge
    spent: Gauge


class _OfEndpoint:
    """A family with more labels than the endpoint."""

    def __init__(self, family: Any, endpoint: str) -> None:
        self._family, self._endpoint = family, endpoint

    def labels(self, *values: str) -> Any:
        return self._family.labels(self._endpoint, *values)


class ErpMetrics(Sink):
    def __init__(self, registry: CollectorRegistry, endpoint: str = ENDPOINT) -> None:
        """`registry`: each app has its own, so two apps in one process (and tests) do not collide."""

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"lineledger_erp_{name}", says, [_LABEL, *labels], registry=registry)

        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return Gauge(f"lineledger_erp_{name}", says, [_LABEL, *labels], registry=registry)

        self._families = _Families(
            calls=counter("calls", "Calls to the ERP", "call", "result"),
            requests=counter("requests", "Requests that left for the ERP, counted at the transport", "call"),
            again=counter("posts_again", "Documents with a posting that was sent before"),
            seconds=Histogram(
                "lineledger_erp_call_seconds", "Duration of a call", [_LABEL, "call"], buckets=SECONDS, registry=registry
            ),
            withheld=counter("withheld", "Attempts that were not sent", "code"),
            foreign=gauge("foreign", "1 while the plant means another ERP than its endpoint calls", "plant"),
            queued=gauge("queue", "Entries that wait for the budget"),
            rate=gauge("calls_per_second", "Calls per second that the budget allows now"),
            open=gauge("circuit_open", "1 while the circuit is open"),
            maintenance=gauge("maintenance", "1 while postings wait for the end of a maintenance window"),
            spent=gauge("quota_spent", "1 while the quota is used up, and comes back bit by bit"),
        )
        self._bind(endpoint)

    def of(self, endpoint: str) -> Self:
        """The same figures of another endpoint."""
        other = object.__new__(type(self))
        other._families = self._families
        other._bind(endpoint)
        return other

    def _bind(self, endpoint: str) -> None:
        families = self._families
        self.calls, self.seconds = _OfEndpoint(families.calls, endpoint), _OfEndpoint(families.seconds, endpoint)
        self.requests, self.withheld = _OfEndpoint(families.requests, endpoint), _OfEndpoint(families.withheld, endpoint)
        self.foreign = _OfEndpoint(families.foreign, endpoint)
        self.again, self.queued = families.again.labels(endpoint), families.queued.labels(endpoint)
        self.rate, self.open = families.rate.labels(endpoint), families.open.labels(endpoint)
        self.maintenance, self.spent = families.maintenance.labels(endpoint), families.spent.labels(endpoint)
        for call in CALLS:
            self.requests.labels(call)  # shown as 0 from the start

    def tell(self, request: Request) -> None:
        self.requests.labels(request.call).inc()
        self.again.inc(request.again)
