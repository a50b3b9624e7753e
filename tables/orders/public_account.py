"""An account as everybody may read it (topic `ledger.accounts`)."""

from schemas.records import AccountRow, LedgerAccount, LedgerSource
from tables.orders.account import account_key, unposted


def public_account(row: AccountRow) -> LedgerAccount:
    """`row` is not changed; lists of the result are the row's own."""
    return LedgerAccount(
        plant=row.plant,
        account=account_key(row),
        order=row.order,
        operation=row.operation,
        material=row.material,
        lot=row.lot,
        kind=row.kind,
        reason=row.reason,
        place=row.place,
        business_date=row.business_date,
        location=row.location,
        unit=row.unit,
        scale=row.scale,
        recorded_numerator=row.recorded_numerator,
        recorded_denominator=row.recorded_denominator,
        target=row.target,
        posted=row.posted,
        parked=row.parked,
        pending=unposted(row),
        code=row.code,
        detail=row.detail,
        covered=row.covered,
        dropped=row.dropped,
        sequence=row.sequence,
        since=row.since,
        due_at=row.due_at or 0,
        sources=[
            LedgerSource(
                source=key,
                kind=one.kind,
                authority=one.authority,
                equipment=one.equipment,
                run=one.run,
                position=one.position,
                component_material=one.component_material,
                component_lot=one.component_lot,
                numerator=one.numerator,
                denominator=one.denominator,
                unit=one.unit,
                first_at=one.first_at,
                last_at=one.last_at,
                records=one.records,
                ranges=one.ranges,
                bom_revision=one.bom_revision,
                late=one.late,
            )
            for key, one in sorted(row.sources.items())
        ],
        apart=row.apart,
        decisions=row.decisions,
    )
