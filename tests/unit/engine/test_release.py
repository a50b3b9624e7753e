"""Partitions that go: what is folded is committed first, within one deadline for all of them."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from faust.types import TP

from app.engine import tables
from app.engine.tables import TableManager
from app.fatal import Exit

TP0, TP1 = TP("orders.inbox", 0), TP("orders.inbox", 1)


class Leaving:
    """A partition that takes so long to open, and so long to leave."""

    def __init__(self, tp: TP, opening: float = 0.0, going: float = 0.0) -> None:
        self.tp, self.leaving, self.left = tp, False, False
        self.opened: asyncio.Future[None] = asyncio.ensure_future(asyncio.sleep(opening))
        self._going = going

    async def leave(self) -> None:
        await asyncio.sleep(self._going)
        self.left = True


def managed(*parts: Leaving) -> TableManager:
    manager = TableManager.__new__(TableManager)
    manager.app = SimpleNamespace(on_left=lambda part: None)
    manager.parts, manager.revocations = {part.tp: part for part in parts}, 0
    return manager


async def test_partitions_that_go_are_committed_and_told() -> None:
    parts = [Leaving(TP0), Leaving(TP1)]
    await managed(*parts).release({TP0, TP1})
    assert [(part.leaving, part.left) for part in parts] == [(True, True)] * 2


@pytest.mark.parametrize(("opening", "going"), [(60.0, 0.0), (0.0, 60.0), (0.06, 0.06)])
async def test_one_deadline_holds_for_all_that_a_release_waits_for(
    monkeypatch: pytest.MonkeyPatch, opening: float, going: float
) -> None:
    ends: list[tuple[Exit, str]] = []
    monkeypatch.setattr(tables, "RELEASE_SECONDS", 0.1)
    monkeypatch.setattr(tables, "die", lambda code, why: ends.append((code, why)))
    await asyncio.wait_for(managed(Leaving(TP0), Leaving(TP1, opening, going)).release({TP0, TP1}), 5)
    assert [code for code, _ in ends] == [Exit.BROKER_TIMEOUT]
    assert str(TP1) in ends[0][1]


def test_the_engine_keeps_no_threads_of_its_own() -> None:
    """Commits and takes-over run in threads of their app."""
    import app.engine.partition as module

    assert not [name for name, value in vars(module).items() if isinstance(value, ThreadPoolExecutor | threading.Thread)]
