"""The console over the books of the demo, as `lineledger console` serves it."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.e2e.conftest import Demo

LINK = re.compile(r'href="([^"]+)"')
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Served:
    """A running console: its address without a slash at the end, and what it gives out."""

    address: str
    token: str

    @contextmanager
    def stranger(self, **cookies: str) -> Iterator[httpx.Client]:
        """Nobody who is logged in."""
        with httpx.Client(base_url=self.address, timeout=30, trust_env=False, cookies=cookies) as found:
            yield found

    @contextmanager
    def reader(self) -> Iterator[httpx.Client]:
        with self.stranger() as found:
            assert found.post("/login?to=/", data={"token": self.token}).status_code == 303
            yield found


@contextmanager
def served(books: Path) -> Iterator[Served]:
    """`lineledger console` of these books, in a process of its own, until the block ends."""
    command = [sys.executable, "-m", "app.cli.main", "console", "--books", str(books), "--port", "0"]
    with subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address, _, token = process.stdout.readline().partition("   token: ")
            yield Served(address.strip().rstrip("/"), token.strip())
        finally:
            process.terminate()
            assert process.wait(STOP_SECONDS) in (0, -15), "a console that is told to end, ends"


def links(page: str, address: str) -> list[str]:
    """Where a page leads, within the console."""
    found = (urljoin(address, html.unescape(link)) for link in LINK.findall(page))
    return [link for link in found if link.startswith("/") and not link.startswith("/static") and "#" not in link]


@pytest.fixture(scope="session")
def books(demo: Demo) -> Path:
    return demo.out / "books.sqlite"


@pytest.fixture(scope="session")
def site(books: Path) -> Iterator[Served]:
    with served(books) as found:
        yield found


@pytest.fixture
def reader(site: Served) -> Iterator[httpx.Client]:
    with site.reader() as found:
        yield found


@pytest.fixture
def stranger(site: Served) -> Iterator[httpx.Client]:
    with site.stranger() as found:
        yield found
