"""The other side of the simulator's control endpoints: what a test or a demo tells it, and what it asks afterwards."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import httpx
import msgspec

from app.erp.master import MasterChanges
from app.erp.simulator.faults import FaultRule, Faults
from app.erp.simulator.messages import (
    MAX_LINES,
    Booked,
    Foreign,
    Master,
    RecordedRequest,
    RequestPage,
    SimComponent,
    SimItem,
    SimMaterial,
    SimOrder,
    Statistics,
)
from schemas.records import MaterialChanged, OrderChanged, OrderReleased

TIMEOUT_S = 30.0

Content = TypeVar("Content")


class SimulatorControl:
    """Raises httpx.HTTPError when the simulator does not do what it is told."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S, trust_env=False
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def provision(
        self,
        orders: Sequence[OrderReleased | OrderChanged],
        materials: Sequence[MaterialChanged],
        lots: Iterable[tuple[str, str]] = (),
        locations: Iterable[str] = (),
    ) -> None:
        """Master data; `lots` as (material, lot). From the first order on, names that are not known are refused."""
        for part in _parts(materials):
            await self._tell("/control/master", Master(materials=[_material(m) for m in part]))
        for pairs in _parts(lots):
            await self._tell("/control/master", Master(lots=pairs))
        for names in _parts(locations):
            await self._tell("/control/master", Master(locations=names))
        for some in _parts(orders):
            await self._tell("/control/master", Master(orders=[_order(o) for o in some]))

    async def plan(self, changes: MasterChanges) -> None:
        """What a planner released or changed: the next pull of master data gets it. (`until` is the simulator's.)"""
        await self._tell("/control/changes", changes)

    async def misbehave(self, faults: Faults) -> None:
        """Replace all settings; `Faults()` heals."""
        await self._tell("/control/faults", faults)

    async def script(self, rule: FaultRule) -> None:
        """Append one rule, such as Rule("timeout_after", order="1001234", times=2)."""
        await self._tell("/control/rules", rule)

    async def book_foreign(self, foreign: Foreign) -> Booked:
        return msgspec.json.decode(await self._tell("/control/foreign", foreign), type=Booked)

    async def statistics(self) -> Statistics:
        return await self._ask("/control/statistics", Statistics)

    async def requests(self) -> AsyncIterator[RecordedRequest]:
        """Every recorded call, oldest first. `request.raw()` is what the search for leaks wants (I7)."""
        after = 0
        while True:
            page = await self._ask(f"/requests?after={after}", RequestPage)
            for request in page.requests:
                yield request
            after = page.next
            if not after:
                return

    async def _tell(self, path: str, content: msgspec.Struct) -> bytes:
        response = await self._client.post(path, content=msgspec.json.encode(content))
        return response.raise_for_status().content

    async def _ask(self, path: str, kind: type[Content]) -> Content:
        response = await self._client.get(path)
        return msgspec.json.decode(response.raise_for_status().content, type=kind)


def _parts(items: Iterable[Content]) -> Iterator[list[Content]]:
    """The items in lists of what one message takes."""
    rest = iter(items)
    while part := list(islice(rest, MAX_LINES)):
        yield part


def _material(record: MaterialChanged) -> SimMaterial:
    return SimMaterial(record.material, record.unit, record.decimals, list(record.conversions))


def _order(record: OrderReleased | OrderChanged) -> SimOrder:
    return SimOrder(
        order=record.order,
        status=record.status or "released",
        automatic_receipt=record.automatic_receipt,
        backflush=record.backflush,
        items=[SimItem(item.material, item.role, item.receipt_location) for item in record.items],
        operations=[operation.operation for operation in record.operations],
        milestones=[operation.operation for operation in record.operations if operation.confirm == "milestone"],
        unconfirmed=[operation.operation for operation in record.operations if operation.confirm == "none"],
        receiving_operations=[operation.operation for operation in record.operations if operation.receipt],
        components=[
            SimComponent(
                material=component.material,
                amount=component.quantity.amount,
                scale=component.quantity.scale,
                unit=component.quantity.unit,
                mode=component.mode,
                operation=component.operation,
                base=component.base,
                issue_location=component.issue_location,
            )
            for component in record.components
        ],
    )
