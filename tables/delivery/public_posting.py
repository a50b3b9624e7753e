"""A posting as everybody may read it (topic `ledger.postings`)."""

from schemas.records import AccountRow, IssuedPosting, LedgerPosting, Posting, PostingRow, PostingStep

FIRST_STEPS, LAST_STEPS = 4, 60
"""Steps of a posting that are kept, of very many: an outage of days has an attempt every few minutes."""


def public_posting(row: PostingRow) -> LedgerPosting:
    """`row` is not changed; what the result holds is the row's own."""
    return LedgerPosting(
        row.posting,
        row.state,
        code=row.code,
        detail=row.detail,
        erp_document=row.erp_document,
        attempts=row.attempts,
        read_backs=row.finds,
        gate=row.gate,
        stock_type=row.stock_type,
        document=row.document,
        replaced_by=row.replaced_by,
        configuration=row.configuration,
        waited_us=row.waited_us,
        steps=row.steps,
        decisions=row.decisions,
    )


def note_step(row: PostingRow, at: int) -> None:
    """The posting came into its state at `at`, log time."""
    step = PostingStep(row.state, at, row.code, row.attempts)
    known = row.steps
    if len(known) >= FIRST_STEPS + LAST_STEPS:
        known = [*known[:FIRST_STEPS], *known[FIRST_STEPS + 1 :]]
    row.steps = [*known, step]


def issued_posting(account: AccountRow, key: str, issued: IssuedPosting) -> LedgerPosting:
    """What orders still knows of a posting that delivery has forgotten. `key`: the account's."""
    posting = Posting(
        posting_id=issued.posting_id,
        plant=account.plant,
        endpoint="",
        account=key,
        order=account.order,
        operation=account.operation,
        material=account.material,
        lot=account.lot,
        kind=account.kind,
        reason=account.reason,
        location=issued.location,
        reservation_item=issued.reservation_item,
        business_date=account.business_date,
        amount=issued.amount,
        scale=account.scale,
        unit=account.unit,
        cumulative=issued.cumulative,
        sequence=issued.sequence,
        revision=0,
        rule=issued.rule,
        rule_version=issued.rule_version,
        cut=issued.cut,
        content_hash="",
        movements=issued.movements,
        records=issued.records,
        ranges=issued.ranges,
        label=0,
        posting_date=issued.posting_date,
        reverses=issued.reverses,
        born_epoch=account.born_epoch,
    )
    return LedgerPosting(
        posting,
        issued.status,
        code=issued.code,
        detail=issued.detail,
        erp_document=issued.erp_document,
        configuration=issued.configuration,
    )
