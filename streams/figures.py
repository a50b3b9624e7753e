"""What a stage can tell about its work at any moment: figures that its fold keeps, by name and labels."""

from typing import NamedTuple

from schemas.codes import entries_of, owner_of

OTHER = "OTHER"
"""Stands for codes that the register does not have (an ERP may send any): labels of metrics are bounded."""


class Figure(NamedTuple):
    name: str
    labels: tuple[str, ...]
    value: int


POSTINGS = "lineledger_postings"
"""(plant, state, code, owner) -> postings that are not in the ERP."""
OLDEST_UNPOSTED = "lineledger_oldest_unposted"
"""(plant,) -> cut of the oldest posting that is not in the ERP, microseconds."""
PARKED = "lineledger_parked"
"""(plant, code, owner) -> accounts that are parked."""
SILENT = "lineledger_upstream_silent"
"""(plant, upstream) -> 1, or how many machines miss the source that is named."""


def known_code(code: str) -> str:
    return code if not code or entries_of(code) else OTHER


def owner(code: str) -> str:
    return owner_of(code) if code else ""
