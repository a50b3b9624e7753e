"""Posting: from a number in the ERP down to log offsets. Account: what is recorded, posted and left of one business key."""

from typing import Any
from urllib.parse import quote

from app.console.asked import NotThere, Page, Question, part_of
from app.console.books import Books, Row
from app.console.pictures import Node, graph
from app.console.shown import moment, quantity
from app.ledger.questions.deciding import decide_line
from schemas.codes import entries_of

MANY = 6
"""So many boxes of a kind in a picture; the table below has all."""


def posting(books: Books, asked: Question) -> Page:
    key = {"plant": asked.plant, "posting_id": asked.path["posting"]}
    row = books.one_of("postings", **key)
    if row is None:
        raise NotThere(asked.path["posting"])
    account = {"plant": asked.plant, "account": row["account"]}
    sources = books.all_of("account_sources", "source", **account)
    values = {
        "posting": row,
        "steps": books.all_of("posting_steps", "step", **key),
        "ranges": books.all_of("posting_ranges", "range", **key),
        "movements": books.all_of("posting_movements", "movement", **key),
        "correlations": books.all_of("posting_correlations", "correlation_id", **key),
        "decisions": books.all_of("posting_decisions", "decided_at", **key),
        "siblings": books.all_of("postings", "born_epoch, sequence, posting_id", **account),
        "sources": sources,
        "of_sources": books.all_of("account_ranges", "source, range", **account),
        "holds": books.all_of("v_lots_on_hold", "hold", plant=asked.plant, material=row["material"], lot=row["lot"]),
        "codes": entries_of(row["code"]),
    }
    return Page("posting.html", f"Posting {row['posting_id']}", {**values, "picture": _chain(asked, values)})


def _chain(asked: Question, values: dict[str, Any]) -> Any:
    """Records -> sources -> account -> posting -> document."""
    row, base = values["posting"], f"/p/{asked.plant}"
    nodes = [
        Node(
            f"r{each['range']}",
            0,
            (each["raw_source"], f"{each['first_offset']} to {each['last_offset']}", f"{each['records']} records"),
        )
        for each in values["ranges"][:MANY]
    ]
    nodes += [
        Node(
            f"s{number}",
            1,
            (
                f"{each['equipment']} {each['kind']}",
                f"run {each['run']}" if each["run"] else each["authority"],
                f"{each['recorded']} {each['unit']}",
            ),
            f"{base}/equipment/{each['equipment']}" if each["equipment"] else "",
        )
        for number, each in enumerate(values["sources"][:MANY])
    ]
    nodes.append(
        Node(
            "account",
            2,
            ("account", f"{row['kind']} {row['material']}", f"order {row['order_no']}"),
            f"{base}/account?key={quote(row['account'], safe='')}",
        )
    )
    what = f"{quantity(row['amount'], row['scale'])} {row['unit']}"
    nodes.append(Node("posting", 3, (row["posting_id"], what, row["state"]), kind="here"))
    if row["erp_document"]:
        nodes.append(Node("document", 4, (f"ERP document {row['erp_document']}", moment(row["accepted_at"], asked.zone))))
    edges = [
        (f"r{part['range']}", f"s{number}")
        for part in values["ranges"][:MANY]
        for number, each in enumerate(values["sources"][:MANY])
        if any(each["source"] == of["source"] and _meet(part, of) for of in values["of_sources"])
    ]
    edges += [(f"s{n}", "account") for n, _ in enumerate(values["sources"][:MANY])]
    edges += [("account", "posting"), ("posting", "document")]
    return graph("From raw records to the ERP", nodes, edges)


def _meet(one: Row, other: Row) -> bool:
    """Do two stretches of a raw source share a record?"""
    same: bool = one["raw_source"] == other["raw_source"]
    return same and bool(one["first_offset"] <= other["last_offset"] and other["first_offset"] <= one["last_offset"])


def account(books: Books, asked: Question) -> Page:
    key = {"plant": asked.plant, "account": asked.query.get("key", "")}
    row = books.one_of("accounts", **key)
    if row is None:
        raise NotThere(key["account"])
    values: dict[str, Any] = {
        "account": row,
        "balance": books.one_of("v_balance", **key),
        "sources": books.all_of("account_sources", "source", **key),
        "ranges": books.all_of("account_ranges", "source, range", **key),
        "apart": books.all_of("account_apart", "unit", **key),
        "decisions": books.all_of("account_decisions", "decided_at", **key),
        "postings": books.all_of("postings", "born_epoch, sequence, posting_id", **key),
        "codes": entries_of(row["code"]),
    }
    return Page("account.html", f"Account of {row['kind']} {row['material']}", values)


def needs(books: Books, asked: Question) -> Page:
    """What waits for a person, with the line that decides."""
    code = asked.query.get("code", "")
    sql = (
        "select v.*, p.state from v_parked v left join postings p"
        " on v.what = 'posting' and p.plant = v.plant and p.posting_id = v.subject"
        " where v.plant = :plant and (:code = '' or v.code = :code) order by v.code, v.since, v.subject"
    )
    part = part_of(books, sql, asked, plant=asked.plant, code=code)
    rows = [{**row, "told": entries_of(row["code"]), "decide": _decide(row)} for row in part.rows]
    return Page("needs.html", "Needs somebody", {"rows": rows, "part": part, "code": code})


def _decide(row: Row) -> str:
    if row["what"] == "account":
        return decide_line(row["subject"], "", "parked", row["code"])
    return decide_line("", row["subject"], row["state"], row["code"])
