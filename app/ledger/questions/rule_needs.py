"""Amounts of posting rules that have no effect, because nothing converts their unit into that of what they are about."""

from collections.abc import Iterator
from typing import NamedTuple

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import order_of, units_of
from schemas.records import AccountRow
from tables.orders.account import BASIS, account_key
from tables.orders.due import without_effect
from tables.refusal import Refusal


class NoEffect(NamedTuple):
    why: Refusal
    account: str
    """The first one that is concerned, by its key."""
    since: int
    """Since when something of it waits or was recorded, microseconds of log time."""


def amounts_without_effect(snapshot: Snapshot) -> Iterator[NoEffect]:
    """Once per amount, kind and material."""
    units, told = units_of(snapshot), dict[tuple[str, str, str], NoEffect]()

    def doubtful(kind: str, material: str, unit: str) -> bool:
        """Is it so by any rule of the kind? Which one holds, the account decides."""
        return any(without_effect(rule, unit, material, units) for rule in snapshot.configuration.rules.post if rule.kind == kind)

    for row in snapshot.accounts_where(doubtful):
        order = order_of(snapshot, row)
        rule_at = snapshot.configuration.rule_for(row.kind, row.order, row.operation, row.material, order.order_type)
        if rule_at is None or row.kind == BASIS or row.covered or not row.sources:
            continue
        for text in without_effect(rule_at.rule, row.unit, row.material, units):
            key = text, row.kind, row.material
            place = f"rules.yaml:{rule_at.line}: " if rule_at.line else ""
            about = f"{row.kind} of {row.material}" if row.material else row.kind
            detail = f"{place}`{text}` has no effect on {about}: nothing says how many {row.unit} that is"
            found = NoEffect(Refusal("RULE_UNIT_UNKNOWN", detail), account_key(row), _begun(row))
            told[key] = min(told.get(key, found), found, key=lambda one: (one.since, one.account))
    yield from (told[key] for key in sorted(told))


def _begun(row: AccountRow) -> int:
    return min((source.first_at for source in row.sources.values() if source.first_at), default=row.since)
