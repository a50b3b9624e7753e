"""What the broker last said about a partition: by the time of asking, and empty only when nothing lies behind."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchRequest
from faust.types import TP

from app.engine import fetches
from app.engine.fetches import Fetches

A, B = TP("t", 0), TP("t", 1)


def asked(*partitions: tuple[int, int, int, int, bytes], took: float = 0.0, monkeypatch: pytest.MonkeyPatch) -> Fetches:
    """One fetch; partitions: (number, offset asked for, error, high watermark, records). It is answered after `took` seconds."""
    now = [100.0]
    monkeypatch.setattr(fetches.time, "monotonic", lambda: now[0])
    heard = Fetches()

    async def send(node_id: Any, request: Any) -> Any:
        now[0] += took
        found = [(number, error, end, end - 1, [], records) for number, _, error, end, records in partitions]
        return SimpleNamespace(topics=[("t", found)], API_VERSION=4)

    client = SimpleNamespace(send=send)
    heard.listen(client)
    request = FetchRequest(50, 1, 1, 1, [("t", [(number, offset, 1) for number, offset, *_ in partitions])])
    asyncio.run(client.send(0, request))
    return heard


def test_it_is_as_old_as_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked((0, 7, 0, 7, b""), took=11.6, monkeypatch=monkeypatch).newest(A)
    assert found is not None
    assert (found.offset, found.asked, found.answered, found.empty) == (7, 100.0, 111.6, True)


@pytest.mark.parametrize(
    ("end", "records", "empty"),
    [
        pytest.param(7, b"", True, id="nothing behind the position"),
        pytest.param(8, b"x", False, id="records"),
        pytest.param(9, b"", False, id="an open transaction: its records have their append time already"),
    ],
)
def test_empty_means_that_nothing_lies_behind(end: int, records: bytes, empty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked((0, 7, 0, end, records), monkeypatch=monkeypatch).newest(A)
    assert found is not None and found.empty is empty


def test_an_error_says_nothing_and_neighbours_count(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = asked((0, 7, 6, 7, b""), (1, 3, 0, 3, b""), monkeypatch=monkeypatch)
    assert heard.newest(A) is None and heard.newest(B) is not None
    heard.forget([B])
    assert heard.newest(B) is None
