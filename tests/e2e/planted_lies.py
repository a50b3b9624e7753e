"""Lies about the ledger, one function each: it plants the lie and returns what a sentence that finds it must contain."""

from collections.abc import Callable
from typing import Any

from tables.equipment.destination import UNATTRIBUTED, Destination
from tables.orders.account import account_key
from tables.row_kinds import (
    ACCOUNT_ROWS,
    CLOSED_ACCOUNT_ROWS,
    DECLARATION_ROWS,
    EQUIPMENT_ROWS,
    LOT_STATE_ROWS,
    POSTING_ROWS,
    TIMELINE_ROWS,
)
from tests.e2e.books import Books

Lie = Callable[[Books], str]
LIES: list[Lie] = []


def lie(plant: Lie) -> Lie:
    LIES.append(plant)
    return plant


def posted(kind: str = "yield", at_least: int = 1) -> Callable[[Any], bool]:
    return lambda row: row.kind == kind and len(row.issued) >= at_least


def account(books: Books, wanted: Callable[[Any], Any]) -> tuple[str, Any]:
    return books.first("orders", ACCOUNT_ROWS.prefix, wanted)


def delivered(books: Books, wanted: Callable[[Any], Any] = lambda row: row.posting.kind == "yield") -> tuple[str, Any]:
    return books.first("delivery", POSTING_ROWS.prefix, wanted)


# Quantities and totals


@lie
def the_total_of_a_row_changed(books: Books) -> str:
    key, row = books.first("equipment", EQUIPMENT_ROWS.key("BRN1", "IMM-01"))
    name = next(name for name, total in sorted(row.totals.items()) if Destination.parse(name).kind == "gross" and total.amount)
    row.totals[name].amount += 4
    books.put("equipment", key, row)
    return "IMM-01"


@lie
def the_total_and_its_account_changed_together(books: Books) -> str:
    """Both sides of the comparison lie alike: only the readings say otherwise."""
    key, row = books.first("equipment", EQUIPMENT_ROWS.key("BRN1", "STP-01"))
    name = next(name for name, total in sorted(row.totals.items()) if Destination.parse(name).kind == "gross" and total.amount)
    source_key = Destination.parse(name).source_key(row.equipment, row.born_epoch)
    row.totals[name].amount += 1
    books.put("equipment", key, row)
    where, entry = account(books, lambda row: source_key in row.sources)
    entry.sources[source_key].numerator += entry.sources[source_key].denominator
    entry.recorded_numerator += 1
    entry.target += 1
    books.put("orders", where, entry)
    return "STP-01: its readings and declarations give"


@lie
def a_source_of_an_account_changed(books: Books) -> str:
    key, row = account(books, posted())
    next(iter(row.sources.values())).numerator += 1
    books.put("orders", key, row)
    return key[2:]


@lie
def an_account_vanished(books: Books) -> str:
    key, row = account(books, lambda row: row.kind == "scrap" and row.issued)
    books.delete("orders", key)
    return f"posting {row.issued[0].posting_id} is in no account"


@lie
def unattributed_pieces_dropped(books: Books) -> str:
    for key, row in books.rows("equipment", EQUIPMENT_ROWS.prefix):
        name = next((name for name in row.totals if Destination.parse(name).kind == UNATTRIBUTED), None)
        if name is not None and row.totals[name].amount:
            del row.totals[name]
            books.put("equipment", key, row)
            return f"{row.equipment}: its readings and declarations give"
    raise AssertionError("the demo has unattributed pieces")


@lie
def unattributed_pieces_moved_to_an_order(books: Books) -> str:
    for key, row in books.rows("equipment", EQUIPMENT_ROWS.prefix):
        name = next((name for name in row.totals if Destination.parse(name).kind == UNATTRIBUTED), None)
        other = next(
            (name for name, total in row.totals.items() if Destination.parse(name).kind == "gross" and total.amount), None
        )
        if name is not None and other is not None and row.totals[name].amount:
            row.totals[other].amount += row.totals[name].amount
            row.totals[name].amount = 0
            books.put("equipment", key, row)
            return "unattributed"
    raise AssertionError("the demo has unattributed pieces")


@lie
def a_declaration_vanished(books: Books) -> str:
    key, _ = books.first("equipment", DECLARATION_ROWS.prefix, lambda row: row.record == "ScrapDeclared" and row.shares)
    books.delete("equipment", key)
    return key.split("|")[2]


@lie
def a_declaration_invented(books: Books) -> str:
    key, row = books.first("equipment", DECLARATION_ROWS.prefix, lambda row: row.record == "ScrapDeclared")
    books.put("equipment", key + "-again", row)
    return key.split("|")[2]


@lie
def readings_vanished(books: Books) -> str:
    key, _ = books.first("equipment", TIMELINE_ROWS.under("BRN1", "IMM-02", "shots"), lambda row: row.shares)
    books.delete("equipment", key)
    return "IMM-02"


@lie
def machine_time_added(books: Books) -> str:
    key, row = books.first("equipment", EQUIPMENT_ROWS.key("BRN1", "IMM-03"))
    name = next(name for name in sorted(row.totals) if Destination.parse(name).kind == "machine_time")
    row.totals[name].amount += 60_000
    books.put("equipment", key, row)
    return "IMM-03"


@lie
def a_source_stands_in_two_accounts(books: Books) -> str:
    _, row = account(books, posted())
    _, other = account(books, lambda one: one.kind == "yield" and one.order != row.order and one.issued)
    name, source = next((name, source) for name, source in sorted(row.sources.items()) if source.equipment)
    other.sources[name] = source
    books.put("orders", ACCOUNT_ROWS.key(account_key(other)), other)
    return f"source {name} is of no total"


@lie
def the_carry_is_more_than_half_a_step(books: Books) -> str:
    key, row = account(books, posted("consumption"))
    row.target += 1
    books.put("orders", key, row)
    return "is more than half a step"


@lie
def backflushed_consumption_changed(books: Books) -> str:
    key, row = account(
        books, lambda row: row.kind == "consumption" and any(name.startswith("backflush|") for name in row.sources)
    )
    name = next(name for name in row.sources if name.startswith("backflush|"))
    row.sources[name].numerator *= 2
    row.recorded_numerator *= 2
    books.put("orders", key, row)
    return "follows from the pieces"


@lie
def the_noted_sum_changed(books: Books) -> str:
    key, row = account(books, posted("scrap"))
    row.recorded_numerator += row.recorded_denominator
    books.put("orders", key, row)
    return "it notes"


@lie
def parked_without_a_code(books: Books) -> str:
    key, row = account(books, lambda row: row.kind == "yield" and row.issued and not row.code)
    row.parked = 5
    books.put("orders", key, row)
    return "parked without a code"


@lie
def a_pending_account_marked_as_covered(books: Books) -> str:
    key, row = account(books, lambda row: row.kind == "yield" and row.issued and not row.covered)
    row.covered = True
    books.put("orders", key, row)
    return "marked as covered"


@lie
def a_row_under_another_account(books: Books) -> str:
    key, row = account(books, posted("rework"))
    row.business_date = "2017-03-01"
    books.put("orders", key, row)
    return "its row is of account"


@lie
def the_unit_of_an_account_changed(books: Books) -> str:
    key, row = account(books, posted("consumption"))
    row.unit = "PC"
    books.put("orders", key, row)
    return key[2:]


# Postings


@lie
def a_posting_vanished_from_its_account(books: Books) -> str:
    key, row = account(books, posted())
    gone = row.issued.pop()
    row.posted -= gone.amount
    books.put("orders", key, row)
    return f"posting {gone.posting_id} is in no account"


@lie
def a_posting_vanished_from_delivery(books: Books) -> str:
    key, row = delivered(books)
    books.delete("delivery", key)
    return f"posting {row.posting.posting_id} is accepted, and delivery has lost it"


@lie
def the_amount_changed_in_delivery(books: Books) -> str:
    key, row = delivered(books)
    row.posting.amount += 1
    books.put("delivery", key, row)
    return row.posting.posting_id


@lie
def the_amount_changed_on_both_sides(books: Books) -> str:
    key, row = delivered(books)
    row.posting.amount += 1
    row.posting.cumulative += 1
    books.put("delivery", key, row)
    where, entry = books.first("orders", ACCOUNT_ROWS.key(row.posting.account))
    issued = next(one for one in entry.issued if one.posting_id == row.posting.posting_id)
    issued.amount, issued.cumulative, entry.posted = issued.amount + 1, issued.cumulative + 1, entry.posted + 1
    books.put("orders", where, entry)
    return f"posting {row.posting.posting_id}: its content is not what its hash was made of"


@lie
def a_cumulative_quantity_changed(books: Books) -> str:
    key, row = account(books, posted(at_least=2))
    row.issued[0].cumulative += 7
    books.put("orders", key, row)
    return f"posting {row.issued[0].posting_id} says"


@lie
def a_gap_in_the_sequence(books: Books) -> str:
    key, row = account(books, posted(at_least=2))
    row.issued[-1].sequence += 1
    books.put("orders", key, row)
    return f"has sequence {row.issued[-1].sequence}"


@lie
def a_posting_under_an_invented_id(books: Books) -> str:
    key, row = account(books, posted())
    row.issued[0].posting_id = "0000000000000000"
    books.put("orders", key, row)
    return "0000000000000000 is not the id of its sequence"


@lie
def the_lineage_count_changed(books: Books) -> str:
    key, row = account(books, posted())
    row.issued[0].records += 1
    books.put("orders", key, row)
    return f"posting {row.issued[0].posting_id} names"


@lie
def the_lineage_range_changed(books: Books) -> str:
    key, row = delivered(books)
    row.posting.ranges[0].first += 1
    books.put("delivery", key, row)
    return f"posting {row.posting.posting_id}: raw ranges"


@lie
def the_lineage_of_a_source_changed(books: Books) -> str:
    key, row = account(books, posted())
    name, source = next((name, source) for name, source in sorted(row.sources.items()) if source.equipment and source.numerator)
    source.records += 1
    source.ranges[0].records += 1
    books.put("orders", key, row)
    return f"source {name} names {source.records} records"


@lie
def the_unit_changed_in_delivery(books: Books) -> str:
    key, row = delivered(books)
    row.posting.unit = "BOX"
    books.put("delivery", key, row)
    return row.posting.posting_id


@lie
def accepted_without_a_document(books: Books) -> str:
    key, row = delivered(books)
    row.erp_document = ""
    books.put("delivery", key, row)
    return f"posting {row.posting.posting_id}: it is accepted without a document"


@lie
def accepted_and_never_sent(books: Books) -> str:
    key, row = delivered(books)
    row.attempts = 0
    books.put("delivery", key, row)
    return "was never sent"


@lie
def the_outcome_of_another_posting(books: Books) -> str:
    key, row = account(books, posted())
    _, other = account(books, lambda one: one.kind == "yield" and one.order != row.order and one.issued)
    row.issued[0].erp_document = other.issued[0].erp_document
    books.put("orders", key, row)
    return f"posting {row.issued[0].posting_id}: document is"


@lie
def accepted_in_the_account_only(books: Books) -> str:
    key, row = delivered(books)
    row.state = "parked"
    books.put("delivery", key, row)
    return "its account has it as accepted, delivery as parked"


@lie
def the_expected_movement_changed(books: Books) -> str:
    key, row = delivered(books, lambda row: row.posting.kind == "yield" and row.posting.movements)
    row.posting.movements[0].amount -= 1
    books.put("delivery", key, row)
    return "expected movements"


@lie
def a_hold_ignored(books: Books) -> str:
    """The lot was known to be held when the receipt went into free stock."""
    states = {(row.material, row.lot): row for _, row in books.rows("delivery", LOT_STATE_ROWS.prefix) if row.held}
    key, row = delivered(books, lambda row: row.gate == "into_blocked_stock")
    assert (row.posting.material, row.posting.lot) in states
    row.gate, row.stock_type = "post", "unrestricted"
    books.put("delivery", key, row)
    return "by what was known of its lot the policy says into_blocked_stock"


@lie
def into_another_stock_than_the_policy_said(books: Books) -> str:
    key, row = delivered(books, lambda row: row.gate == "into_blocked_stock")
    row.stock_type = "unrestricted"
    books.put("delivery", key, row)
    return "the hold policy said into_blocked_stock"


@lie
def a_sequence_closed_too_early(books: Books) -> str:
    key, row = books.first("delivery", CLOSED_ACCOUNT_ROWS.prefix)
    row.closed += 1
    books.put("delivery", key, row)
    return f"sequence {row.closed} is closed"


@lie
def a_closed_sequence_forgotten(books: Books) -> str:
    key, _ = books.first("delivery", CLOSED_ACCOUNT_ROWS.prefix, lambda row: row.closed)
    books.delete("delivery", key)
    return "not closed against coming again"
