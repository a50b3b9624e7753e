"""I3: the NET of all movements in the ERP per order, material, lot and type equals what the accepted postings expect."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from app.erp.adapters import adapter_for
from app.ledger.balance import ACCEPTED
from app.ledger.snapshot import Snapshot
from app.run.erp import RunErp
from schemas.records import Movement
from tables.quantity import fraction

Key = tuple[str, str, str, str]
"""Order, material, lot, type (as the ERP writes them)."""


def expected(snapshot: Snapshot) -> dict[Key, Fraction]:
    """Net quantity that the accepted postings should have moved; a lot that is not batch-managed is left out."""
    found: dict[Key, Fraction] = defaultdict(Fraction)
    identifiers = snapshot.configuration.erp.identifiers
    for order, movements in accepted(snapshot):
        for movement in movements:
            key = (identifiers.order.erp(order), identifiers.material.erp(movement.material), movement.lot, movement.type)
            found[key] += fraction(movement.amount, movement.scale)
    return {key: value for key, value in found.items() if value}


def accepted(snapshot: Snapshot) -> Iterator[tuple[str, Sequence[Movement]]]:
    """Order and movements of every accepted posting: as delivery has it, or the account where delivery has forgotten it."""
    kept = {row.posting.posting_id: row for row in snapshot.of("delivery", "p|")}
    for row in kept.values():
        if row.state == ACCEPTED:
            yield row.posting.order, row.posting.movements
    for account in snapshot.of("orders", "a|"):
        for posting in account.issued:
            if posting.posting_id not in kept and posting.status == ACCEPTED:
                yield account.order, posting.movements


def check(snapshot: Snapshot, erp: RunErp) -> dict[str, Any]:
    """Compare with the ERP's own tables. {} when there is none to ask."""
    adapter = adapter_for(erp.configuration.erp, {**os.environ, **erp.environ})
    if adapter is None:
        return {}
    wanted = expected(snapshot)
    orders = sorted({order for order, _, _, _ in wanted})

    async def booked() -> dict[Key, Fraction]:
        try:
            found: dict[Key, Fraction] = defaultdict(Fraction)
            for movement in await adapter.movements(orders):
                key = (movement.order, movement.material, movement.lot, movement.type)
                found[key] += fraction(movement.amount, movement.scale)
            return {key: value for key, value in found.items() if value}
        finally:
            await adapter.close()

    actual = asyncio.run(booked())
    differences = [
        f"order {key[0]} material {key[1]} lot {key[2] or '-'} {key[3]}: ledger {wanted.get(key, 0)}, ERP {actual.get(key, 0)}"
        for key in sorted(wanted.keys() | actual.keys())
        if wanted.get(key) != actual.get(key)
    ]
    wrong = {difference.split(" ")[1] for difference in differences}
    return {"orders": len(orders), "agreeing": len(orders) - len(wrong & set(orders)), "differences": differences}
