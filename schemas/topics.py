"""Names of the topics in the catalog (catalog.yaml), without the prefix of an installation. A test compares both."""

from typing import Final

CLOCK_PROBE: Final = "clock.probe"
CONFIG: Final = "config"
INTAKE_CHANGELOG: Final = "intake.changelog"
EQUIPMENT_INBOX: Final = "equipment.inbox"
EQUIPMENT_CHANGELOG: Final = "equipment.changelog"
ORDERS_INBOX: Final = "orders.inbox"
ORDERS_CHANGELOG: Final = "orders.changelog"
LOTS_INBOX: Final = "lots.inbox"
LOTS_CHANGELOG: Final = "lots.changelog"
DELIVERY_INBOX: Final = "delivery.inbox"
DELIVERY_CHANGELOG: Final = "delivery.changelog"
EXCEPTIONS: Final = "exceptions"
TELEMETRY_PROCESS: Final = "telemetry.process"
PRODUCTION_TOTALS: Final = "production.totals"
MES_ORDERS: Final = "mes.orders"
PRODUCTION_KPIS: Final = "production.kpis"
ORDERS_STATE: Final = "orders.state"
LEDGER_POSTINGS: Final = "ledger.postings"
LEDGER_ACCOUNTS: Final = "ledger.accounts"
LEDGER_CUT_OFF: Final = "ledger.cut-off"
PLANT_UPSTREAMS: Final = "plant.upstreams"
LOT_STATES: Final = "quality.lot-states"
SHIPMENT_BLOCKS: Final = "wms.shipment-blocks"


def inbox_of(stage: str) -> str:
    """What a stage reads."""
    return f"{stage}.inbox"


def changelog_of(stage: str) -> str:
    """Where a stage's rows are; `intake.TOPIC` for the intake of one raw topic."""
    return f"{stage}.changelog"
