"""Lies about dead letters, positions, and what the ERP has booked; they join the list of planted_lies.py."""

import dataclasses
from typing import Any

from tables.row_kinds import ACCOUNT_ROWS, POSITION_ROWS
from tests.e2e.books import Books, replaced
from tests.e2e.planted_lies import LIES, delivered, lie

__all__ = ["LIES"]


# Records


@lie
def a_dead_letter_vanished(books: Books) -> str:
    letters = books.letters()
    books.keep_letters([letter for letter in letters if letter is not next(one for one in letters if one.stage == "intake")])
    return "are in exceptions"


@lie
def a_dead_letter_twice(books: Books) -> str:
    letters = books.letters()
    books.keep_letters([*letters, letters[0]])
    return "is there 2 times"


@lie
def a_partition_is_behind(books: Books) -> str:
    key, row = books.first("orders", POSITION_ROWS.prefix)
    row.clocks = {name: at - 3_600_000_000 for name, at in row.clocks.items()}
    row.reached = {name: at - 3_600_000_000 for name, at in row.reached.items()}
    books.put("orders", f"{key.rpartition('/')[0]}/1", row)  # a second one: a run in memory has one
    return "partition 1 is behind the others"


# The ERP


@lie
def a_document_booked_twice(books: Books) -> str:
    line = "select posting_id from movements where posting_id <> '' and type = 'receipt' order by id limit 1"
    books.in_the_store(
        "insert into documents (number, stock_type) values (9000, 'unrestricted')",
        f"insert into lines (document, posting_id, content_hash, content) select 9000, posting_id, content_hash, content"
        f" from lines where posting_id = ({line})",
        *_copy_of_movement(f"posting_id = ({line})", "9000, posting_id, origin"),
    )
    return "is in the ERP under 2 documents"


@lie
def a_movement_vanished_from_the_erp(books: Books) -> str:
    books.in_the_store("delete from movements where id = (select min(id) from movements where type = 'issue')")
    return "not in the ERP"


@lie
def somebody_else_booked(books: Books) -> str:
    books.in_the_store(
        "insert into documents (number, stock_type) values (9001, 'unrestricted')",
        *_copy_of_movement("id = (select min(id) from movements where type = 'receipt')", "9001, '', 'foreign'"),
    )
    return "booked by somebody else"


@lie
def the_erp_booked_another_quantity(books: Books) -> str:
    books.in_the_store(
        "update movements set amount = amount + 1 where id = (select max(id) from movements where type = 'receipt')"
    )
    return "ERP"


@lie
def the_erp_booked_another_lot(books: Books) -> str:
    books.in_the_store("update movements set lot = 'WRONG' where id = (select min(id) from movements where lot <> '')")
    return "lot WRONG"


@lie
def the_erp_has_a_posting_nobody_issued(books: Books) -> str:
    def change(book: Any) -> Any:
        first = next(one for one in book.confirmations if one.posting_id)
        return replaced(
            book, confirmations=[*book.confirmations, dataclasses.replace(first, posting_id="ZZZZZZZZZZZZZZZZ", amount=0)]
        )

    books.change_book(change)
    return "the ledger never issued it"


@lie
def the_ledger_names_another_document(books: Books) -> str:
    """Both stages agree on a document that is not the ERP's."""
    key, row = delivered(books)
    where, entry = books.first("orders", ACCOUNT_ROWS.key(row.posting.account))
    issued = next(one for one in entry.issued if one.posting_id == row.posting.posting_id)
    row.erp_document = issued.erp_document = "777777"
    books.put("delivery", key, row)
    books.put("orders", where, entry)
    return f"posting {row.posting.posting_id}: the ledger has document 777777"


def _copy_of_movement(where: str, values: str) -> list[str]:
    rest = 'type, "order", material, lot, location, stock_type, amount, scale, unit'
    columns = f"document, posting_id, origin, {rest}"
    return [f"insert into movements ({columns}) select {values}, {rest} from movements where {where}"]
