"""A real Chromium, and the console of the demo's books that it looks at. Its first screenshots of a test run are kept in
out/browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.command import lineledger
from tests.e2e.console.conftest import Served, served
from tests.platform.maven import ROOT

PICTURES = ROOT / "out" / "browser"
QUIET = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("no Chromium on the PATH: `apt-get install chromium`, or leave `make browser-test` out")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    done = lineledger("demo", "--seed", "1", "--scale", "0.05", "--out", out)
    assert done.code == 0, done.said
    return out / "books.sqlite"


@pytest.fixture(scope="session")
def site(books: Path) -> Iterator[Served]:
    with served(books) as found:
        yield found
