"""How one process runs: where the broker is, which topics, which state directory. From the command line or the environment."""

from dataclasses import dataclass, field

from app.kafka.broker import Broker
from app.kafka.connection import Connection
from schemas.catalog import Catalog, catalog

RECORDED_INTERVAL = 0.2
"""Seconds between checkpoints over recorded input: latency of the pipeline limits how fast the clock in the log can run, and
each transaction costs about a millisecond."""
RECORDED_INTERVALS = {"delivery": 0.02}
"""A call to the ERP waits for the commit of its dispatch, and the next one for the commit of its outcome."""
LIVE_INTERVALS = {"equipment": 1.0, "delivery": 0.1}
LIVE_INTERVAL = 0.5


@dataclass(slots=True, frozen=True)
class Settings:
    """`connection`: its prefix separates installations (and single runs) on one broker. `recorded`: input with its own time
    (`run`)."""

    connection: Connection
    datadir: str = "data"
    instance: str = ""
    """Static member id, e.g. the pod's name; empty: none."""
    recorded: bool = False
    metrics_port: int = 0
    """0: no metrics and readiness port."""
    erp_journal: str = ""
    """File to which delivery writes every request to the ERP (of a run); empty: none."""
    session_timeout: float = 10.0
    checkpoint_interval: float = 0.0
    """Seconds; 0: the stage's own."""
    private_key: bytes = b""
    """Keys the hashes of private fields."""
    catalog: Catalog = field(default_factory=catalog)
    """With the partition counts of this installation."""

    @property
    def broker(self) -> Broker:
        return self.connection.broker

    @property
    def prefix(self) -> str:
        return self.connection.prefix

    def interval(self, stage: str) -> float:
        if self.checkpoint_interval:
            return self.checkpoint_interval
        if self.recorded:
            return RECORDED_INTERVALS.get(stage, RECORDED_INTERVAL)
        return LIVE_INTERVALS.get(stage, LIVE_INTERVAL)
