"""Nothing is shown without a login, and pages do nothing but show."""

import re
from pathlib import Path

import httpx
import pytest

from app.console import login
from app.console.login import COOKIE, Doors
from app.console.server import PAGES
from tests.e2e.command import lineledger
from tests.e2e.console.conftest import Served

TOKEN = "a token"
ADDRESSES = [re.sub(r"\{[^}]*\}", "x", path) for path, _, _ in PAGES]


@pytest.mark.parametrize("address", ["/", "/find", "/none", *ADDRESSES])
def test_no_page_without_a_login(stranger: httpx.Client, address: str) -> None:
    answer = stranger.get(address)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?to=")


def test_what_changes_is_told_to_nobody_else(stranger: httpx.Client) -> None:
    assert stranger.get("/events").status_code == 401


def test_a_cookie_that_was_made_up_or_left_opens_nothing(site: Served) -> None:
    with site.stranger(**{COOKIE: "made up"}) as other:
        assert other.get("/").status_code == 303
    with site.reader() as reader:
        kept = reader.cookies[COOKIE]
        assert reader.get("/").status_code == 200
        reader.post("/logout")
    with site.stranger(**{COOKIE: kept}) as other:
        assert other.get("/").status_code == 303


def test_a_session_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    doors, now = Doors(TOKEN), 1000.0
    monkeypatch.setattr(login.time, "monotonic", lambda: now)
    session = doors.enter(TOKEN)
    assert session is not None
    assert doors.is_open(session)
    now += login.SESSION_SECONDS
    assert not doors.is_open(session)


def test_guesses_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    doors, now = Doors(TOKEN), 1000.0
    monkeypatch.setattr(login.time, "monotonic", lambda: now)
    assert [doors.enter("wrong") for _ in range(login.TRIES)] == [None] * login.TRIES
    assert doors.enter(TOKEN) is None
    now += login.TRIES_SECONDS
    assert doors.enter(TOKEN) is not None


def test_the_cookie_is_for_this_site_and_not_for_scripts(site: Served, stranger: httpx.Client) -> None:
    told = stranger.post("/login?to=/", data={"token": site.token}).headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told


@pytest.mark.parametrize("to", ["//elsewhere.test", "https://elsewhere.test", "/\\elsewhere.test", "/a\nb", "javascript:1"])
def test_a_login_leads_nowhere_else(site: Served, stranger: httpx.Client, to: str) -> None:
    answer = stranger.post("/login", params={"to": to}, data={"token": site.token})
    assert answer.headers["location"] == "/"


def test_every_answer_forbids_what_a_page_does_not_need(stranger: httpx.Client, reader: httpx.Client) -> None:
    for answer in (reader.get("/"), stranger.get("/login"), reader.get("/none"), reader.get("/p/BRN1/balance")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "style=" not in answer.text


def test_another_name_for_this_address_gets_nothing(stranger: httpx.Client) -> None:
    """A page of another site may make its own name point here."""
    assert stranger.get("/login", headers={"host": "elsewhere.test"}).status_code == 400


def test_a_long_form_is_not_read(stranger: httpx.Client) -> None:
    assert stranger.post("/login", data={"token": "x" * 10_000}).status_code == 413


def test_other_machines_are_not_served(books: Path) -> None:
    said = lineledger("console", "--books", books, "--host", "0.0.0.0", "--port", "0")
    assert said.code == 2
    assert "WRONG_USE" in said.said
    assert "127.0.0.1" in said.said


def test_a_folder_without_books_is_named(tmp_path: Path) -> None:
    said = lineledger("console", "--out", tmp_path)
    assert said.code == 2
    assert "NO_LEDGER" in said.said
