"""The executor of one ERP endpoint with its budget and its guard against other ERPs: a process that posts has it from here."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.erp.budget import Budget
from app.erp.doorway import Doorway
from app.erp.executor import Executor, ExecutorSettings
from app.erp.metrics import ErpMetrics
from app.erp.own_erp import ErpIdentity, NoErp, OwnErp
from app.erp.port import ErpAdapter
from app.erp.quota import QuotaInHand
from app.erp.timebase import SystemTime
from schemas.configuration import Configuration
from schemas.records import PostingRow


class OwnedLog(NamedTuple):
    """Delivery's partition of the endpoint, as the one who owns it sees it."""

    send: Callable[[Any], None]
    """Outcomes, into delivery's inbox; does not block."""
    peek: Callable[[str], PostingRow | None]
    """A posting's row as folded so far, by posting id."""
    configuration: Callable[[str], Configuration]
    """By hash."""
    active: Callable[[str], str]
    """Hash of the configuration that the log has active for a plant; empty: none."""
    last_good: Callable[[], float]
    """CLOCK_BOOTTIME seconds of the last good commit or heartbeat."""


class ErpEndpoint(NamedTuple):
    executor: Executor
    own: OwnErp


def doorway_of(configuration: Configuration) -> Doorway:
    """The one place where requests leave for the plant's ERP, with its limits; all adapters of a process share it."""
    settings = configuration.erp.erp
    return Doorway(Budget(settings.calls_per_second, settings.concurrency, QuotaInHand.of(settings)), SystemTime())


def endpoint_of(
    configuration: Configuration,
    adapter: ErpAdapter | None,
    environ: Mapping[str, str],
    doorway: Doorway,
    log: OwnedLog,
    metrics: ErpMetrics,
    session_seconds: float,
    maintenance: Callable[[], float] = lambda: 0.0,
) -> ErpEndpoint:
    """`configuration`: of the plant whose ERP this is. `adapter` None: it has none, and everything is refused.

    `doorway`: the adapter's. `session_seconds`: of the lease. `maintenance`: seconds until the ERP may be called again.
    Raises Refusal: ENVIRONMENT_MISSING, ERP_URL_INVALID.
    """
    identity = None if adapter is None else ErpIdentity.of(configuration.erp, environ)
    own = OwnErp(identity, environ, log.configuration, log.active)
    executor = Executor(
        NoErp() if adapter is None else adapter,
        doorway.budget,
        ExecutorSettings(session_seconds),
        send=log.send,
        peek=log.peek,
        configuration=log.configuration,
        own=own,
        last_good=log.last_good,
        maintenance=maintenance,
        metrics=metrics,
    )
    doorway.on_hold = executor.held
    return ErpEndpoint(executor, own)
