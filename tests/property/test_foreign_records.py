"""Every record type of the catalog in every stage's inbox: folded by a handler, or WRONG_STAGE; the process never ends."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.avro_files import documents
from schemas.catalog import catalog
from schemas.records import RECORDS, ConfigActivated, Tick
from streams.boundary import by_name
from streams.delivery import stage as delivery
from streams.equipment import stage as equipment
from streams.lots import stage as lots
from streams.memory_step import MemoryStep, MemoryTopology
from streams.orders import stage as orders
from tests.unit.schemas.test_codec import NAMES, values_of
from tests.unit.tables.floor_bench import PLANT, at, configuration

CONFIG = configuration()
STAGES = {
    "equipment": (equipment.EquipmentStage, set(by_name(equipment.HANDLERS))),
    "lots": (lots.LotsStage, set(by_name(lots.HANDLERS))),
    "orders": (orders.OrdersStage, set(by_name(orders.HANDLERS))),
    "delivery": (delivery.DeliveryStage, set(by_name(delivery.HANDLERS))),
}
FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Inbox:
    """A stage that is at work: with or without the plant's configuration."""

    def __init__(self, name: str, *, configured: bool) -> None:
        self.name, self.topology = name, MemoryTopology({CONFIG.hash: CONFIG})
        self.step, self.stage = MemoryStep(f"{name}.inbox"), STAGES[name][0](self.topology)
        self.stage.taken_over(self.step)
        if configured:
            self.fold(ConfigActivated(PLANT, CONFIG.hash, 0, "intake"))

    def fold(self, *records: Any) -> list[Any]:
        """One batch; returns its dead letters."""
        self.step.deliver(*records)
        self.stage.fold(self.step)
        if hasattr(self.stage, "before_commit"):
            self.stage.before_commit(self.step)
        return [letter for letter in self.step.take() if type(letter).__name__ == "ExceptionRecord"]

    def ticks(self) -> list[Tick]:
        upstreams = self.topology.upstreams(self.name, CONFIG)
        return [Tick(PLANT, at("14:00"), upstream, False) for upstream in upstreams]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_takes_what_the_catalog_sends_it(stage: str) -> None:
    assert STAGES[stage][1] == set(catalog().topics[f"{stage}.inbox"].records)


@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_type_is_refused_and_the_next_record_is_folded(name: str) -> None:
    foreign = [stage for stage, (_, takes) in STAGES.items() if name not in takes]

    @FEW
    @given(values_of(documents()[name]), st.booleans())
    def check(values: dict[str, Any], configured: bool) -> None:
        for stage in foreign:
            inbox = Inbox(stage, configured=configured)
            rows = dict(inbox.step.rows.rows)
            (letter,) = inbox.fold(RECORDS[name].from_avro(values))
            assert (letter.code, letter.stage, letter.detail) == ("WRONG_STAGE", stage, name)
            assert inbox.step.rows.rows == rows, "a refused record leaves no trace"
            assert inbox.fold(*inbox.ticks()) == []

    check()


def plain(schema: Any) -> Any:
    """A value of the schema that says as little as possible about this plant."""
    match schema:
        case {"type": "record", "fields": fields}:
            return {field["name"]: _named(field["name"], plain(field["type"])) for field in fields}
        case {"type": "array"}:
            return []
        case {"type": "map"}:
            return {}
        case {"type": inner}:
            return plain(inner)
        case list():
            return plain(schema[0])
        case str() if schema in documents() or schema.rpartition(".")[2] in documents():
            return plain(documents()[schema.rpartition(".")[2]])
    return {"string": "x", "bytes": b"", "boolean": False, "int": 0, "long": 0, "null": None}[schema]


SAID: dict[str, Any] = {
    "plant": PLANT,
    "unit": "PC",
    "hash": CONFIG.hash,
    "label": at("12:00"),
    "occurred_at": at("12:00"),
    "denominator": 1,
}


def _named(name: str, value: Any) -> Any:
    return SAID.get(name, value)


@pytest.mark.parametrize("configured", [True, False])
@pytest.mark.parametrize("stage", STAGES)
def test_an_own_type_is_folded_or_refused_by_its_handler(stage: str, configured: bool) -> None:
    for name in sorted(STAGES[stage][1]):
        inbox = Inbox(stage, configured=configured)
        letters = inbox.fold(RECORDS[name].from_avro(plain(documents()[name])))
        letters += inbox.fold(*inbox.ticks())
        assert "WRONG_STAGE" not in {letter.code for letter in letters}, name
