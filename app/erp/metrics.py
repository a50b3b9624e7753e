"""Figures of the calls to one ERP, for the metrics port."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ErpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        """`registry`: each app has its own, so two apps in one process (and tests) do not collide."""
        self.calls = Counter("lineledger_erp_calls", "Calls to the ERP", ["call", "result"], registry=registry)
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
