"""Balance, exceptions, delivery and rules: lists with the way down."""

import difflib
import json
from typing import Any
from urllib.parse import quote

from app.console.asked import NotThere, Page, Question, part_of
from app.console.books import Books
from app.console.pages.now import clock_of
from app.console.pictures import Bar, bars
from app.console.shown import MINUTE_US, moment
from schemas.codes import entries_of, owner_of

COLUMNS = ("target", "accepted", "in_flight", "held", "stopped", "pending", "parked", "covered")
ORIGINAL_BYTES = 20_000
"""So much of a refused record is shown."""


def balance(books: Books, asked: Question) -> Page:
    """recorded = posted + what is on its way, held, stopped, pending, parked or covered; by kind, then by order."""
    kind = asked.query.get("kind", "")
    kinds = books.rows(
        "select kind, unit, scale, sum(target) as target, sum(accepted) as accepted, sum(in_flight) as in_flight,"
        " sum(held) as held, sum(stopped) as stopped, sum(pending) as pending, sum(parked) as parked, sum(covered) as covered"
        " from v_balance where plant = :plant group by kind, unit, scale order by kind, unit",
        plant=asked.plant,
    )
    part = part_of(
        books,
        "select * from v_balance_of_orders where plant = :plant and (:kind = '' or kind = :kind)"
        " order by order_no, kind, material",
        asked,
        plant=asked.plant,
        kind=kind,
    )
    days = books.rows(
        "select business_date, kind, sum(target) as target, max(scale) as scale from accounts where plant = :plant and"
        " kind in ('yield', 'scrap', 'rework') and business_date <> ''"
        " group by business_date, kind order by 1 desc, 2 desc limit 180",
        plant=asked.plant,
    )
    by_day: dict[str, list[tuple[str, float, str]]] = {}
    for row in reversed(days):
        amount = int(row["target"]) / 10 ** int(row["scale"])
        by_day.setdefault(row["business_date"], []).append((row["kind"], max(0.0, amount), f"{row['kind']} {amount:,.10g}"))
    values = {
        "kinds": [{**row, "closes": row["target"] == sum(row[name] or 0 for name in COLUMNS[1:])} for row in kinds],
        "kind": kind,
        "part": part,
        "picture": bars("Recorded pieces by business date", [Bar(day, parts) for day, parts in by_day.items()]),
        "cut_offs": books.rows(
            "select * from v_cut_offs where plant = :plant order by period desc, order_no, account limit 200", plant=asked.plant
        ),
    }
    return Page("balance.html", "Balance", values)


def exceptions(books: Books, asked: Question) -> Page:
    code, source, state = (asked.query.get(name, "") for name in ("code", "source", "state"))
    groups = books.rows(
        "select code, source, state, count(*) as n, min(received) as first, max(received) as last from v_exceptions"
        " where plant = :plant group by code, source, state order by n desc, code, source",
        plant=asked.plant,
    )
    part = part_of(
        books,
        "select * from v_exceptions where plant = :plant and (:code = '' or code = :code) and (:source = '' or source = :source)"
        " and (:state = '' or state = :state) order by received desc, letter",
        asked,
        plant=asked.plant,
        code=code,
        source=source,
        state=state,
    )
    values = {
        "groups": [{**row, "owner": owner_of(row["code"])} for row in groups],
        "part": part,
        "code": code,
        "source": source,
        "state": state,
    }
    return Page("exceptions.html", "Exceptions", values)


def exception(books: Books, asked: Question) -> Page:
    key = {"plant": asked.plant, "letter": asked.path["letter"]}
    row = books.one_of("exceptions", **key)
    if row is None:
        raise NotThere(key["letter"])
    original = bytes(row["original"] or b"")
    values = {
        "row": row,
        "state": books.one_of("v_exceptions", **key),
        "original": original[:ORIGINAL_BYTES].decode("utf-8", "backslashreplace"),
        "cut": len(original) > ORIGINAL_BYTES,
        "events": books.all_of("exception_events", "told_at", **key),
        "codes": entries_of(row["code"]),
    }
    return Page("exception.html", f"Refused record {key['letter']}", values)


def delivery(books: Books, asked: Question) -> Page:
    """Calls over time against the limit, what waits, what had to be repeated."""
    plant = asked.plant
    minutes = asked.number("minutes", 10, 1440) or 10
    calls = books.rows(
        "select s.at / :span as slot, n.state as outcome, count(*) as n from posting_steps s left join posting_steps n"
        " on n.plant = s.plant and n.posting_id = s.posting_id and n.step = s.step + 1 where s.plant = :plant and"
        " s.state = 'dispatched' group by s.at / :span, n.state order by 1 desc limit 400",
        plant=plant,
        span=minutes * MINUTE_US,
    )
    slots: dict[int, list[tuple[str, float, str]]] = {}
    for row in reversed(calls):
        kind = "posted" if row["outcome"] == "accepted" else "scrap"
        slots.setdefault(int(row["slot"]), []).append((kind, float(row["n"]), f"{row['outcome'] or 'under way'} {row['n']}"))
    columns = [Bar(moment(slot * minutes * MINUTE_US, asked.zone)[5:16], parts) for slot, parts in list(slots.items())[-60:]]
    values = {
        "states": books.rows(
            "select state, code, count(*) as n, min(cut_at) as oldest, sum(attempts) as attempts, sum(read_backs) as read_backs"
            " from postings where plant = :plant and replaced_by = '' group by state, code order by state, code",
            plant=plant,
        ),
        "waiting": books.rows(
            "select * from postings where plant = :plant and replaced_by = '' and state not in ('accepted', 'cancelled')"
            " order by cut_at, posting_id limit 100",
            plant=plant,
        ),
        "again": books.rows(
            "select * from postings where plant = :plant and (attempts > 1 or read_backs > 0)"
            " order by attempts desc, posting_id limit 50",
            plant=plant,
        ),
        "latency": books.first(
            "select count(*) as n, avg(accepted_at - cut_at) as mean, max(accepted_at - cut_at) as most from postings"
            " where plant = :plant and accepted_at is not null",
            plant=plant,
        ),
        "minutes": minutes,
        "picture": bars(f"Postings sent, by {minutes} minutes of the plant's clock", columns),
        "clock": clock_of(books, plant),
    }
    return Page("delivery.html", "Delivery", values)


def rules(books: Books, asked: Question) -> Page:
    """Configurations in the log, how many postings each decided, and what is different between two."""
    found = books.rows(
        "select c.hash, c.rule_version, count(p.posting_id) as postings, min(p.cut_at) as first_cut, max(p.cut_at) as last_cut"
        " from configurations c left join postings p on p.plant = c.plant and p.configuration = c.hash"
        " where c.plant = :plant group by c.hash, c.rule_version order by 4, 1",
        plant=asked.plant,
    )
    one, other = asked.query.get("from", ""), asked.query.get("to", "")
    difference = _difference(books, asked.plant, one, other) if one and other else None
    shown = asked.query.get("show", "")
    return Page(
        "rules.html",
        "Rules",
        {
            "rows": found,
            "from": one,
            "to": other,
            "difference": difference,
            "show": shown,
            "texts": _texts(books, asked.plant, shown),
        },
    )


def _texts(books: Books, plant: str, hash_: str) -> dict[str, str]:
    """The three files of a configuration as indented JSON; empty: there is none of that hash."""
    row = books.first(
        "select plant_yaml, rules_yaml, erp_yaml from configurations where plant = :plant and hash = :hash",
        plant=plant,
        hash=hash_,
    )
    return {name: json.dumps(json.loads(text), indent=2) for name, text in row.items()} if row else {}


def _difference(books: Books, plant: str, one: str, other: str) -> list[tuple[str, list[str]]]:
    before, after = _texts(books, plant, one), _texts(books, plant, other)
    if not before or not after:
        raise NotThere(one if not before else other)
    return [
        (
            name,
            list(difflib.unified_diff(before[name].splitlines(), after[name].splitlines(), "before", "after", lineterm="", n=2)),
        )
        for name in before
    ]


def find(books: Books, asked: Question) -> tuple[str, list[dict[str, Any]]]:
    """Where a text leads: (the one address, [] ) or ('', what it may be)."""
    text = asked.query.get("q", "").strip()
    found: list[dict[str, Any]] = []
    if text:
        for what, sql, address in _PLACES:
            for row in books.rows(sql + " limit 20", text=text, like=f"{text}%"):
                parts = {name: quote(str(value), safe="") for name, value in row.items()}
                found += [{"what": what, "name": row["name"], "plant": row["plant"], "link": address.format(**parts)}]
    exact = [one for one in found if one["name"] == text]
    return (exact[0]["link"] if len(exact) == 1 else found[0]["link"] if len(found) == 1 else ""), found


_PLACES = (
    (
        "posting",
        "select plant, posting_id as name from postings where posting_id = :text or posting_id like :like order by 2",
        "/p/{plant}/posting/{name}",
    ),
    (
        "ERP document",
        "select plant, erp_document as name, posting_id from postings where erp_document = :text order by posting_id",
        "/p/{plant}/posting/{posting_id}",
    ),
    (
        "order",
        "select plant, order_no as name from orders where order_no = :text or order_no like :like order by 2",
        "/p/{plant}/order/{name}",
    ),
    (
        "lot",
        "select plant, lot as name, material from lots where lot = :text or lot like :like order by 2",
        "/p/{plant}/lot/{material}/{name}",
    ),
    (
        "equipment",
        "select plant, equipment as name from equipment where equipment = :text or equipment like :like order by 2",
        "/p/{plant}/equipment/{name}",
    ),
    ("run", "select plant, run as name, equipment from runs where run = :text order by 2", "/p/{plant}/equipment/{equipment}"),
    (
        "refused record",
        "select plant, letter as name from exceptions where letter = :text order by 2",
        "/p/{plant}/exception/{name}",
    ),
    (
        "material",
        "select plant, material as name from materials where material = :text order by 2",
        "/p/{plant}/lots?find={name}",
    ),
)
