"""Pages over the demo's books: every link leads somewhere, numbers are those of the run, every number leads to its records."""

import csv
import html
import re
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import httpx

from app.console.server import PAGES
from tests.e2e.conftest import Demo
from tests.e2e.console.conftest import links, served

PLANT = "/p/BRN1"


KIND = re.compile(r"/(order|posting|lot|equipment|exception)/.*")
OF_A_KIND = 12
"""So many orders, lots, postings, ... are opened; lists are opened whole."""


def kind_of(address: str) -> str:
    return KIND.sub(r"/\1/", address.split("?")[0])


def walked(reader: httpx.Client) -> Counter[str]:
    """Every kind of page that can be reached by links: how many of it were opened."""
    opened, seen, waiting = Counter[str](), set[str](), ["/"]
    while waiting:
        address = waiting.pop()
        if address in seen or opened[kind_of(address)] >= OF_A_KIND:
            continue
        answer = reader.get(address)
        assert answer.status_code == 200, address
        seen.add(address)
        opened[kind_of(address)] += 1
        waiting += links(answer.text, address)
    return opened


def test_every_link_leads_to_a_page(reader: httpx.Client) -> None:
    kinds = {path.replace("/p/{plant}", PLANT) for path, _, _ in PAGES}
    assert {kind_of(re.sub(r"\{.*", "", kind)) for kind in kinds} | {"/"} <= walked(reader).keys()


def test_now_counts_what_the_run_posted(reader: httpx.Client, demo: Demo) -> None:
    rows = list(csv.DictReader((demo.out / "postings.csv").open(encoding="utf-8")))
    page = reader.get("/").text
    assert f"<b>{len(rows)}</b>in the ERP" in page
    assert "need somebody" in page


def test_a_number_leads_to_its_raw_records_and_back(reader: httpx.Client, demo: Demo) -> None:
    row = next(iter(csv.DictReader((demo.out / "postings.csv").open(encoding="utf-8"))))
    identity = row["posting_id"]
    found = reader.get("/find", params={"q": identity})
    assert found.headers["location"] == f"{PLANT}/posting/{identity}"
    page = reader.get(found.headers["location"]).text
    with sqlite3.connect(demo.out / "books.sqlite") as books:
        ranges = books.execute(
            "select raw_source, first_offset, last_offset from posting_ranges where posting_id = ?", (identity,)
        ).fetchall()
    assert ranges
    for raw_source, first, last in ranges:
        assert f'<td>{raw_source}</td><td class="n">{first}</td><td class="n">{last}</td>' in page
    assert f"{PLANT}/order/{row['order']}" in links(page, "/")
    accounts = [link for link in links(page, "/") if link.startswith(f"{PLANT}/account?key=")]
    assert identity in reader.get(accounts[0]).text


def test_the_balance_closes_for_each_kind_and_a_false_row_is_seen(reader: httpx.Client, books: Path, tmp_path: Path) -> None:
    assert "does not close" not in reader.get(f"{PLANT}/balance").text
    false = tmp_path / "books.sqlite"
    shutil.copy(books, false)
    with sqlite3.connect(false) as connection:
        connection.execute("update postings set amount = amount + 1 where rowid = (select min(rowid) from postings)")
    with served(false) as site, site.reader() as other:
        assert "does not close" in other.get(f"{PLANT}/balance").text


def test_a_problem_shows_its_owner_and_its_command(reader: httpx.Client) -> None:
    page = reader.get(f"{PLANT}/needs").text
    assert "OVER_DELIVERY" in page
    assert "lineledger decide &#39;BRN1|1001210|0010|4719|" in page
    refused = reader.get(f"{PLANT}/exceptions", params={"code": "BAD_UNIT"}).text
    letter = next(link for link in links(refused, "/") if "/exception/" in link)
    shown = reader.get(letter).text
    assert "lineledger exceptions replay" in shown
    assert "<h2>Original</h2>" in shown


def test_what_is_unknown_or_has_no_unit_gets_its_own_command(books: Path, tmp_path: Path) -> None:
    """As `lineledger parked` says it: a document number for what may be in the ERP, no `post` where no unit is known."""
    other = tmp_path / "books.sqlite"
    shutil.copy(books, other)
    with sqlite3.connect(other) as connection:
        (unknown,) = connection.execute("select posting_id from postings limit 1").fetchone()
        connection.execute("update postings set state = 'unknown', code = 'ERP_TIMEOUT' where posting_id = ?", (unknown,))
        connection.execute("update accounts set code = 'BAD_UNIT' where code = 'OVER_DELIVERY'")
    with served(other) as site, site.reader() as reader:
        page = html.unescape(reader.get(f"{PLANT}/needs").text)
    assert f"lineledger decide {unknown} accept --document NUMBER" in page
    assert "drop --code BAD_UNIT" in page
    assert "post|drop --code BAD_UNIT" not in page


def test_a_held_lot_shows_its_hold_and_where_it_came_from(reader: httpx.Client) -> None:
    page = reader.get(f"{PLANT}/lot/4711/170201-01").text
    assert "H-204" in page
    assert f"{PLANT}/lot/RES-PP/PP-7701" in links(page, "/")


def test_names_are_data_and_never_code(books: Path, tmp_path: Path) -> None:
    """A lot and an order of a plant are called what people call them."""
    name = "<script>alert(1)</script>'\" or 1=1 --"
    odd = tmp_path / "books.sqlite"
    shutil.copy(books, odd)
    with sqlite3.connect(odd) as connection:
        connection.execute("update lots set lot = ? where lot = '170201-01'", (name,))
        connection.execute("update genealogy set child_lot = ? where child_lot = '170201-01'", (name,))
        connection.execute("update exceptions set detail = ?, original = ?", (name, name.encode()))
    with served(odd) as site, site.reader() as reader:
        lots = reader.get(f"{PLANT}/lots", params={"find": name}).text
        address = next(link for link in links(lots, "/") if "/lot/4711/" in link)
        for page in (
            lots,
            reader.get(address).text,
            reader.get(f"{PLANT}/exceptions").text,
            reader.get("/find", params={"q": name}).text,
        ):
            assert "<script>alert" not in page
        assert reader.get(address).status_code == 200
        letter = next(link for link in links(reader.get(f"{PLANT}/exceptions").text, "/") if "/exception/" in link)
        assert "<script>alert" not in reader.get(letter).text


def test_what_is_not_there_is_said_by_name(reader: httpx.Client) -> None:
    for address in ("/p/NONE/orders", f"{PLANT}/order/none", f"{PLANT}/posting/NONE", f"{PLANT}/account?key=none", "/none"):
        answer = reader.get(address)
        assert answer.status_code == 404, address
        assert "Not in the books" in answer.text
    assert reader.get(f"{PLANT}/equipment/IMM-01?day=none").status_code == 200
    assert reader.get(f"{PLANT}/orders?page=99999999999999999999").status_code == 200


def test_books_that_are_away_are_named(books: Path, tmp_path: Path) -> None:
    there = tmp_path / "books.sqlite"
    shutil.copy(books, there)
    with served(there) as site, site.reader() as reader:
        assert reader.get("/").status_code == 200
        there.write_bytes(b"no database at all" * 1000)
        answer = reader.get("/p/BRN1/orders")
    assert answer.status_code == 503
    assert "The books do not answer" in answer.text
