"""Figures of the calls to one ERP, for the metrics port."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.erp.traffic import CALLS, Request, Sink

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ErpMetrics(Sink):
    def __init__(self, registry: CollectorRegistry) -> None:
        """`registry`: each app has its own, so two apps in one process (and tests) do not collide."""
        self.calls = Counter("lineledger_erp_calls", "Calls to the ERP", ["call", "result"], registry=registry)
        self.requests = Counter(
            "lineledger_erp_requests", "Requests that left for the ERP, counted at the transport", ["call"], registry=registry
        )
        self.again = Counter("lineledger_erp_posts_again", "Documents with a posting that was sent before", registry=registry)
        self.seconds = Histogram(
            "lineledger_erp_call_seconds", "Duration of a call", ["call"], buckets=SECONDS, registry=registry
        )
        self.withheld = Counter("lineledger_erp_withheld", "Attempts that were not sent", ["code"], registry=registry)
        self.foreign = Gauge(
            "lineledger_erp_foreign", "1 while the plant posts to another ERP than this worker's", ["plant"], registry=registry
        )
        self.queued = Gauge("lineledger_erp_queue", "Entries that wait for the budget", registry=registry)
        self.rate = Gauge("lineledger_erp_calls_per_second", "Calls per second that the budget allows now", registry=registry)
        self.open = Gauge("lineledger_erp_circuit_open", "1 while the circuit is open", registry=registry)
        self.maintenance = Gauge(
            "lineledger_erp_maintenance", "1 while postings wait for the end of a maintenance window", registry=registry
        )
        for call in CALLS:
            self.requests.labels(call)  # shown as 0 from the start

    def tell(self, request: Request) -> None:
        self.requests.labels(request.call).inc()
        self.again.inc(request.again)
