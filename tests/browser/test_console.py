"""Every screen in a browser: it can be walked by links and keys, nothing comes from elsewhere, nothing is cut off, and a screen
reader can read it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PICTURES
from tests.e2e.console.conftest import Served

PLANT = "/p/BRN1"
SCREENS = {
    "now": "/",
    "needs": f"{PLANT}/needs",
    "balance": f"{PLANT}/balance",
    "orders": f"{PLANT}/orders",
    "order": f"{PLANT}/order/1001201",
    "lots": f"{PLANT}/lots",
    "lot": f"{PLANT}/lot/4711/170201-01",
    "machines": f"{PLANT}/equipment",
    "machine": f"{PLANT}/equipment/IMM-01",
    "exceptions": f"{PLANT}/exceptions",
    "quality": f"{PLANT}/quality",
    "delivery": f"{PLANT}/delivery",
    "rules": f"{PLANT}/rules",
}
SIZES = {"phone": (390, 844), "desk": (1280, 900), "wall": (2560, 1440)}


@contextmanager
def looking(chromium: Browser, site: Served, size: str = "desk", scheme: str = "light") -> Iterator[Page]:
    """A page of somebody who has logged in. Whatever the browser asks elsewhere or complains of is an error."""
    width, height = SIZES[size]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: wrong.append(asked.url) if urlsplit(asked.url).hostname != "127.0.0.1" else None)
    page.goto(site.address)
    page.get_by_label("Token").fill(site.token)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Now")
    yield page
    context.close()
    assert wrong == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_fits_where_it_is_looked_at(chromium: Browser, site: Served, screen: str, size: str) -> None:
    with looking(chromium, site, size) as page:
        page.goto(site.address + SCREENS[screen])
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{screen}-{size}.png", full_page=size == "desk")
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], "no page scrolls sideways as a whole"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_can_be_used_by_everybody(chromium: Browser, site: Served, screen: str, scheme: str) -> None:
    with looking(chromium, site, scheme=scheme) as page:
        page.goto(site.address + SCREENS[screen])
        found = Axe().run(page).response["violations"]
    serious = [
        (each["id"], [node["html"] for node in each["nodes"][:3]]) for each in found if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_from_a_number_to_its_raw_record_and_back(chromium: Browser, site: Served) -> None:
    with looking(chromium, site) as page:
        page.get_by_role("link", name="in the ERP").click()
        page.get_by_role("link", name="Orders", exact=True).click()
        page.get_by_role("link", name="1001201", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Order 1001201")
        page.get_by_role("region", name="Balance").last.get_by_role("link", name="yield", exact=True).first.click()
        page.get_by_role("region", name="Postings").get_by_role("link").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Posting ")
        expect(page.get_by_role("region", name="Raw records behind it")).to_contain_text("presses.jsonl")
        page.get_by_role("link", name="1001201", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Order 1001201")


def test_it_works_by_keys_alone(chromium: Browser, site: Served) -> None:
    with looking(chromium, site) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        page.get_by_role("textbox", name="Order, lot, posting").focus()
        page.keyboard.type("1001210")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Order 1001210")


def test_a_page_changes_when_the_books_do(chromium: Browser, site: Served, books: Path) -> None:
    with looking(chromium, site) as page:
        tile = page.locator("a.tile", has_text="records refused").locator("b")
        before = int(tile.inner_text())
        page.wait_for_timeout(2_500)  # the first mark has come
        with sqlite3.connect(books) as connection:
            columns = [row[1] for row in connection.execute("pragma table_info(exceptions)")]
            told = ", ".join("'new'" if name == "letter" else name for name in columns)
            connection.execute(f"insert into exceptions select {told} from exceptions limit 1")
        expect(tile).to_have_text(str(before + 1), timeout=10_000)
