"""One order from totals to the ERP's tables and back: fold, deliver to a simulator, keep the ledger and what the ERP answered."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.erp.documents import document_for
from app.erp.of_run import TOKEN_SECRET, URL_VARIABLE, RunErp, with_adapter
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.messages import Foreign
from app.erp.simulator.process import SimulatorProcess
from app.ledger.books import snapshot
from app.ledger.proof import erp_check
from app.secret import variable_of
from schemas.configuration import Configuration
from schemas.records import AttemptEnded, MaterialChanged, OrderReleased, Outcome, Posting
from tables.delivery.outbox import Dispatch
from tests.unit.streams import quality_bench
from tests.unit.streams.ledger_bench import CUT, Ledger, total
from tests.unit.tables.floor_bench import configuration, event

RULES = {"post": [{"kind": kind, "when": ["shift_end"]} for kind in ("yield", "scrap", "consumption")]}


class Floor:
    """One plant with one order in its ledger and the same order in a simulated ERP: the stages orders and delivery. Quantities
    are declared by hand, so no equipment has to answer for them."""

    def __init__(
        self, simulator: SimulatorProcess, out: Path, rules: dict[str, Any] | None = None, plant: dict[str, Any] | None = None
    ) -> None:
        self.simulator, self.out = simulator, out
        self.configuration = with_adapter(_configuration(plant or {}, {**RULES, **(rules or {})}), "sim")
        self.ledger, self.delivery = Ledger(self.configuration), quality_bench.Bench(self.configuration)

    def release(self, order: OrderReleased, *materials: tuple[str, str, int]) -> None:
        """The order and its materials (number, unit, decimals) in the ledger and in the ERP."""
        changed = [
            event(MaterialChanged, 0, material=name, unit=unit, decimals=decimals, batch_managed=False)
            for name, unit, decimals in materials
        ]
        self.ledger.fold(*changed, order)
        asyncio.run(self._provision(order, changed))

    def make(self, operation: str, pieces: int, version: int = 1, **fields: Any) -> None:
        named = {"operation": operation, "source_key": f"M|{operation}", "equipment": "", **fields}
        self.ledger.fold(total("gross", pieces, (1, version), **named))

    def count(self, kind: str, pieces: int, operation: str, **fields: Any) -> None:
        named = {"operation": operation, "source_key": f"{kind}|{operation}", "equipment": "", **fields}
        self.ledger.fold(total(kind, pieces, **named))

    def post(self, now: int = CUT) -> list[Posting]:
        """Everything that is due at `now` goes to the ERP and is accepted."""
        postings = self.ledger.tick(now)
        self.delivery.fold(*postings)
        asyncio.run(self._send(self.delivery.clock(now)))
        self.ledger.fold(*(outcome for outcome in self.delivery.step.take("orders.inbox") if isinstance(outcome, Outcome)))
        return postings

    def book_foreign(self, foreign: Foreign) -> None:
        asyncio.run(self._foreign(foreign))

    def keep(self) -> dict[str, Any]:
        """Write the output folder of a run; returns what the check said."""
        steps = {"orders": self.ledger.step, "delivery": self.delivery.step}
        rows = {stage: {key.encode(): step.codec.encode(row) for key, row in step.rows.scan("")} for stage, step in steps.items()}
        snapshot.write(self.out, rows, [], self.configuration, {"erp": "simulated ERP"})
        token = {URL_VARIABLE: self.simulator.url, variable_of(TOKEN_SECRET): self.simulator.token}
        return erp_check.check(snapshot.read(self.out), RunErp("simulated ERP", self.configuration, token), self.out)

    async def _provision(self, order: OrderReleased, materials: Sequence[MaterialChanged]) -> None:
        control = SimulatorControl(self.simulator.url, self.simulator.token)
        await control.provision([order], materials)
        await control.close()

    async def _foreign(self, foreign: Foreign) -> None:
        control = SimulatorControl(self.simulator.url, self.simulator.token)
        await control.book_foreign(foreign)
        await control.close()

    async def _send(self, entries: Iterable[Any]) -> None:
        """Do what delivery hands out until it hands out nothing more."""
        adapter, waiting = SimAdapter(self.simulator.url, self.simulator.token), list(entries)
        while waiting:
            entry = waiting.pop(0)
            assert isinstance(entry, Dispatch), entry
            answer = await adapter.post(document_for([self.delivery.row(name) for name, _ in entry.lines], self.configuration))
            assert answer.result == "accepted", answer
            ended = [AttemptEnded(name, attempt, "accepted", "post", answer.erp_document) for name, attempt in entry.lines]
            waiting += self.delivery.fold(*ended)
        await adapter.close()


def _configuration(plant: dict[str, Any], rules: dict[str, Any]) -> Configuration:
    """`plant`: settings of plant.yaml's top level."""
    base = configuration(rules=rules)
    return Configuration.of(base.plant.model_copy(update=plant), base.rules, base.erp)
