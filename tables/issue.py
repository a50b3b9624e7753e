"""An account becomes a posting: identity, content, lineage, and the movements that the ERP is expected to make."""

from collections.abc import Callable
from typing import cast

from schemas.configuration import Configuration
from schemas.configuration.rules import Kind, PostRule
from schemas.records import AccountRow, IssuedPosting, MaterialRow, Movement, OrderRow, Posting
from tables.account import TIMES, account_key, lineage, unposted
from tables.order import confirmed_with, mode_of, receives
from tables.posting_id import content_hash, posting_id
from tables.quantity import fraction, round_half_away

Materials = Callable[[str], MaterialRow | None]
"""Material master by number."""


def issue(
    account: AccountRow,
    rule: PostRule,
    configuration: Configuration,
    order: OrderRow,
    counts: dict[str, int],
    cut: int,
    endpoint: str,
    material_of: Materials,
) -> Posting:
    """Issue what is unposted: posting = round(cumulative) - what was issued before. The account remembers it."""
    key, amount = account_key(account), unposted(account)
    account.sequence += 1
    account.posted += amount
    records, ranges = lineage(account, counts)
    movements = expected_movements(account, configuration, order, amount, material_of)
    posting = Posting(
        posting_id=posting_id(account.plant, key, account.born_epoch, account.sequence),
        plant=account.plant,
        endpoint=endpoint,
        account=key,
        order=account.order,
        operation=account.operation,
        material=account.material,
        lot=account.lot,
        kind=account.kind,
        reason=account.reason,
        location=account.location,
        reservation_item=account.reservation_item,
        business_date=account.business_date,
        amount=amount,
        scale=account.scale,
        unit=account.unit,
        cumulative=account.posted,
        sequence=account.sequence,
        rule=str(rule),
        rule_version=configuration.rule_version,
        cut=cut,
        content_hash="",
        movements=movements,
        records=records,
        ranges=ranges,
        final=order.completed,
        label=cut,
    )
    posting.content_hash = content_hash(
        posting.posting_id, key, amount, account.scale, account.unit, account.posted, account.location, account.reservation_item
    )
    account.issued.append(
        IssuedPosting(
            posting_id=posting.posting_id,
            sequence=posting.sequence,
            amount=amount,
            cumulative=posting.cumulative,
            cut=cut,
            rule=posting.rule,
            rule_version=posting.rule_version,
            records=records,
            ranges=ranges,
            movements=movements,
        )
    )
    return posting


def expected_movements(
    account: AccountRow, configuration: Configuration, order: OrderRow, amount: int, material_of: Materials
) -> list[Movement]:
    """What the ERP will book for this posting, what it derives by itself included (domain rules 17 and 18)."""
    if account.kind in TIMES:
        return []
    booking = configuration.erp.booking(cast(Kind, account.kind))

    def movement(type_: str, location: str, derived: bool = False) -> Movement:
        return Movement(type_, account.material, amount, account.scale, account.unit, account.lot, location, derived)

    if account.kind == "yield":
        automatic = order.automatic_receipt or booking.receipt == "erp_automatic"
        receiving = receives(order, account.operation) and booking.receipt != "none"
        receipt = [movement("receipt", account.location, automatic)] if receiving else []
        return receipt + _derived_issues(account, configuration, order, amount, material_of)
    if account.kind == "consumption":
        return [movement("issue", account.location)]
    if account.kind == "scrap" and (account.place == "stock" or booking.by == "production_output"):
        return [movement("scrap", account.location)] if receives(order, account.operation) else []
    return []


def _derived_issues(
    account: AccountRow, configuration: Configuration, order: OrderRow, amount: int, material_of: Materials
) -> list[Movement]:
    """Components that the ERP backflushes from this confirmation: expected, never sent. An ERP rounds each confirmation
    by itself, so this one quantity is no difference of cumulative ones."""
    found = []
    confirmed = confirmed_with(order, account.operation)
    if receives(order, account.operation):
        confirmed.append("")  # a component of no operation belongs to the one that receives: each is backflushed once
    for component in order.components if order.backflush else ():
        if component.operation not in confirmed:
            continue
        probe = AccountRow(
            account.plant,
            account.order,
            account.operation,
            component.material,
            "",
            "consumption",
            "",
            component.position,
            account.business_date,
            account.born_epoch,
        )
        if mode_of(configuration, component, probe) == "erp_backflush":
            per_piece = fraction(component.quantity.amount, component.quantity.scale) / component.base
            material, unit = material_of(component.material), component.quantity.unit
            scale = material.decimals if material is not None and material.unit == unit else component.quantity.scale
            need = round_half_away(per_piece * fraction(amount, account.scale), scale)
            found.append(Movement("issue", component.material, need, scale, unit, "", component.issue_location, True))
    return found
