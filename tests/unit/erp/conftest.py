"""Delivery lines that end with the test, whatever their ERP is told to do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.unit.erp.delivery_line import DeliveryLine


@pytest.fixture
async def made() -> AsyncIterator[Callable[..., DeliveryLine]]:
    lines: list[DeliveryLine] = []

    def make(**options: Any) -> DeliveryLine:
        lines.append(DeliveryLine(**options))
        return lines[-1]

    yield make
    for line in lines:
        line.erp.behaviour.clear()
        closing = asyncio.create_task(line.executor.close())  # from here on: what hangs does so on the line's own clock
        await line.time.advance(60)
        await closing
        assert line.fatal == []
