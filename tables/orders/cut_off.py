"""What an account leaves behind when its period closes (docs/domain.md, Cut-off)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction

from schemas.records import AccountRow
from tables.decisions import BAD_UNIT, DROP, verdict
from tables.delivery.posting_state import ACCEPTED, CANCELLED
from tables.orders.account import unposted
from tables.quantity import round_half_away

SETTLED = frozenset({ACCEPTED, CANCELLED, "closed"})
APART_DECIMALS = 6
"""Of what stands in a unit that nobody converts."""


@dataclass(slots=True, frozen=True)
class LeftBehind:
    """Steps that the ERP does not have, and why."""

    code: str
    steps: int
    unit: str
    scale: int
    """Decimals of a step."""


def left_behind(row: AccountRow, accepted: Collection[str] = ()) -> Iterator[LeftBehind]:
    """Everything of the account that the ERP does not have: parked, not due, on its way. What somebody dropped or cancelled is
    never to come, so a period does not miss it. `accepted`: ids of postings that are known to be in the ERP, although the account
    has not heard of it yet."""
    for one in row.apart if verdict(row, BAD_UNIT) != DROP else ():
        steps = round_half_away(Fraction(one.numerator, one.denominator), APART_DECIMALS)
        yield LeftBehind(BAD_UNIT, steps, one.unit, APART_DECIMALS)
    if row.covered:
        return
    if row.parked and not row.dropped:
        yield LeftBehind(row.code, row.parked, row.unit, row.scale)
    if unposted(row):
        yield LeftBehind(code="NOT_DUE", steps=unposted(row), unit=row.unit, scale=row.scale)
    open_ = [posting for posting in row.issued if posting.status not in SETTLED and posting.posting_id not in accepted]
    if issued := sum(posting.amount for posting in open_):
        yield LeftBehind(code="IN_FLIGHT", steps=issued, unit=row.unit, scale=row.scale)
