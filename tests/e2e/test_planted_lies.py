"""Reconciliation finds each planted lie, says so in a sentence, and finds nothing on clean data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.ledger.books import erp_book
from app.ledger.books.sources import FileSources
from app.ledger.questions.reconcile import reconcile
from tables.row_kinds import POSITION_ROWS
from tests.e2e.books import Books
from tests.e2e.command import lineledger
from tests.e2e.conftest import Demo
from tests.e2e.planted_erp_lies import LIES
from tests.e2e.planted_lies import Lie


@pytest.fixture
def books(demo: Demo, tmp_path: Path) -> Iterator[Books]:
    copied = Books(demo.out, tmp_path)
    yield copied
    copied.close()


def test_there_are_forty_eight() -> None:
    assert len({lie.__name__ for lie in LIES}) == len(LIES) >= 48


def test_nothing_is_reported_on_clean_data(demo: Demo) -> None:
    found = reconcile(demo.ledger, erp_book.read(demo.out), FileSources(demo.out, b""))
    assert found.differences == []
    assert found.re_added == demo.outcome.json["calls"]["postings"]


def test_nothing_is_reported_on_a_copy_whose_erp_is_asked_again(books: Books) -> None:
    books.in_the_store("update documents set stock_type = stock_type where number = 1")
    assert reconcile(books.read(), erp_book.read(books.folder)).differences == []


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_planted_lie_is_found(books: Books, lie: Lie) -> None:
    wanted = lie(books)
    found = reconcile(books.read(), erp_book.read(books.folder)).differences
    assert any(wanted in sentence for sentence in found), found


def test_the_command_says_it_and_fails(books: Books) -> None:
    wanted = next(lie for lie in LIES if lie.__name__ == "accepted_without_a_document")(books)
    outcome = lineledger("reconcile", "--out", books.folder, "--json")
    assert outcome.code == 1, outcome.said
    assert any(wanted in sentence for sentence in outcome.json["differences"])


def test_what_was_changed_everywhere_is_found_in_the_source_records(demo: Demo, books: Books) -> None:
    """Reading, total, account and sums agree with each other; the raw record says otherwise."""
    marks_key, position = books.first("intake", POSITION_ROWS.prefix)
    position.marks["readings"] += 1
    books.put("intake", marks_key, position)
    assert reconcile(books.read(), erp_book.read(books.folder)).differences == []
    found = reconcile(books.read(), erp_book.read(books.folder), FileSources(demo.out, b"")).differences
    assert any("readings in the source records, intake counted" in sentence for sentence in found), found
