"""Who must act when something waits with a code."""

CODE_OWNERS = {
    "OVER_DELIVERY": "logistics",
    "REWORK_EXCEEDED": "shift lead",
    "UNKNOWN_ORDER": "integration",
    "LOT_MISSING": "shift lead",
    "MATERIAL_NOT_IN_BOM": "controlling",
    "MATERIAL_NOT_IN_ORDER": "controlling",
    "MATERIAL_AMBIGUOUS": "shift lead",
    "UNATTRIBUTED": "shift lead",
    "NO_ORDER": "shift lead",
    "LOT_HELD": "quality",
    "LOT_BLOCKED": "quality",
    "LATE_SCRAP": "controlling",
    "PERIOD_CLOSED": "controlling",
    "BOM_MISMATCH": "controlling",
}
DEFAULT_OWNER = "plant IT"


def owner_of(code: str) -> str:
    return CODE_OWNERS.get(code, DEFAULT_OWNER)
