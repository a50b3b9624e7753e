"""An account becomes postings: identity, content, lineage, and the movements that the ERP is expected to make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from schemas.configuration import Configuration
from schemas.configuration.rules import Kind, PostRule
from schemas.records import AccountRow, IssuedPosting, MaterialRow, Movement, OrderRow, Posting
from tables import correlations
from tables.orders.account import TIMES, account_key, lineage, unposted
from tables.orders.components import ItemShare, mode_of
from tables.orders.order import confirmed_with, item_of, receives
from tables.orders.posting_id import content_hash, posting_id
from tables.quantity import fraction, round_half_away

Materials = Callable[[str], MaterialRow | None]
"""Material master by number."""
Shares = Callable[[int], Sequence[ItemShare]]
"""How an amount (steps) is spread over reservation items; one share without item where there is none."""


@dataclass(slots=True, frozen=True)
class Issue:
    """What the postings of one account at one cut have in common."""

    rule: PostRule
    configuration: Configuration
    order: OrderRow
    counts: dict[str, int]
    """Weight of each source of the account."""
    cut: int
    posting_date: str
    endpoint: str
    materials: Materials
    shares: Shares
    missing_sources: Sequence[str] = ()
    """Silent at this cut: what they had to say is not in the posting."""


def issue(account: AccountRow, how: Issue) -> list[Posting]:
    """Issue what is unposted: round(cumulative) - what was issued before. The account remembers it.

    corrections: net gives the signed difference; reversal takes back the newest postings until no more than the
    cumulative quantity is posted, and posts the rest anew.
    """
    target = account.posted + unposted(account)
    made = _taken_back(account, target, how) if how.rule.corrections == "reversal" else []
    rest = target - account.posted
    made += [_posting(account, share, "", how) for share in (how.shares(rest) if rest else ())]
    account.at_once = False
    return made


def confirm_final(account: AccountRow, how: Issue) -> Posting:
    """A confirmation of zero that carries the final flag (docs/domain.md, Final flag)."""
    posting = _posting(account, ItemShare(account.reservation_item, account.location, 0), "", how)
    posting.final = True
    return posting


def _taken_back(account: AccountRow, target: int, how: Issue) -> list[Posting]:
    made = []
    if target < account.posted:
        effective: list[IssuedPosting] = []
        for posting in account.issued:
            if posting.reverses:
                effective.pop()
            elif posting.amount:  # a confirmation of zero stands for nothing that could be taken back
                effective.append(posting)
        while effective and account.posted > target:
            last = effective.pop()
            back = ItemShare(last.reservation_item, last.location, -last.amount)
            made.append(_posting(account, back, last.posting_id, how))
    return made


def _posting(account: AccountRow, share: ItemShare, reverses: str, how: Issue) -> Posting:
    key, configuration = account_key(account), how.configuration
    account.sequence += 1
    account.posted += share.amount
    records, ranges = lineage(account, how.counts)
    movements = expected_movements(account, configuration, how.order, share, how.materials)
    posting = Posting(
        posting_id=posting_id(account.plant, key, account.born_epoch, account.sequence),
        plant=account.plant,
        endpoint=how.endpoint,
        account=key,
        order=account.order,
        operation=account.operation,
        material=account.material,
        lot=account.lot,
        kind=account.kind,
        reason=account.reason,
        location=share.location,
        reservation_item=share.item,
        business_date=account.business_date,
        amount=share.amount,
        scale=account.scale,
        unit=account.unit,
        cumulative=account.posted,
        sequence=account.sequence,
        rule=str(how.rule),
        rule_version=configuration.rule_version,
        cut=how.cut,
        content_hash="",
        movements=movements,
        records=records,
        ranges=ranges,
        correlation_ids=correlations.behind(account, how.counts),
        label=how.cut,
        posting_date=how.posting_date,
        reverses=reverses,
        born_epoch=account.born_epoch,
        waited_since=account.since or how.cut,
        missing_sources=list(how.missing_sources),
    )
    posting.content_hash = hash_of(posting)
    account.issued.append(
        IssuedPosting(
            posting_id=posting.posting_id,
            sequence=posting.sequence,
            amount=share.amount,
            cumulative=posting.cumulative,
            cut=how.cut,
            rule=posting.rule,
            rule_version=posting.rule_version,
            configuration=configuration.hash,
            records=records,
            ranges=ranges,
            movements=movements,
            reservation_item=share.item,
            location=share.location,
            posting_date=how.posting_date,
            reverses=reverses,
        )
    )
    return posting


def hash_of(posting: Posting) -> str:
    """What must never change under the posting's id."""
    return content_hash(
        posting.posting_id,
        posting.account,
        posting.amount,
        posting.scale,
        posting.unit,
        posting.cumulative,
        posting.location,
        posting.reservation_item,
        posting.posting_date,
        posting.reverses,
    )


def redated(posting: Posting, posting_date: str) -> Posting:
    """The same quantity under a new id and a later posting date: for one that the ERP definitely refused (docs/domain.md,
    Periods)."""
    again = Posting.from_avro(posting.to_avro())
    again.revision += 1
    again.posting_date = posting_date
    again.posting_id = posting_id(posting.plant, posting.account, posting.born_epoch, posting.sequence, again.revision)
    again.content_hash = hash_of(again)
    return again


def expected_movements(
    account: AccountRow, configuration: Configuration, order: OrderRow, share: ItemShare, material_of: Materials
) -> list[Movement]:
    """What the ERP will book for this posting, what it derives by itself included (docs/domain.md, Expected movements).

    No ERP makes the receipt of a co-product or by-product by itself: theirs is sent.
    """
    if account.kind in TIMES or not share.amount:
        return []
    booking = configuration.erp.booking(cast(Kind, account.kind))

    def movement(type_: str, derived: bool = False) -> Movement:
        return Movement(type_, account.material, share.amount, account.scale, account.unit, account.lot, share.location, derived)

    if account.kind == "yield":
        item = item_of(order, account.material)
        main = item is None or item.role == "main"
        automatic = main and (order.automatic_receipt or booking.receipt == "erp_automatic")
        receiving = receives(order, account.operation) and booking.receipt != "none"
        receipt = [movement("receipt", automatic)] if receiving else []
        return receipt + (_derived_issues(account, configuration, order, share.amount, material_of) if main else [])
    if account.kind == "consumption":
        return [movement("issue")]
    if account.kind == "scrap" and (account.place == "stock" or booking.by == "production_output"):
        return [movement("scrap")] if receives(order, account.operation) else []
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
        if component.operation not in confirmed or component.phantom:
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
