"""Stage intake: who owns which field; what another system says of it is refused."""

from typing import Any

import pytest

from schemas.configuration import Configuration
from schemas.records import ConfigActivated, Tick
from tests.unit.streams.raw_bench import Intake, intake_configuration, line
from tests.unit.tables.floor_bench import at

T = at("07:00")


def owned_by(system: str) -> Intake:
    base = intake_configuration()
    (name,) = [name for name in base.plant.sources]
    source = base.plant.sources[name].model_copy(update={"system": system})
    plant = base.plant.model_copy(update={"sources": {name: source}})
    return Intake(Configuration.of(plant, base.rules, base.erp))


@pytest.mark.parametrize(
    ("system", "kind", "fields", "said"),
    [
        ("mes", "amend", {"items": [{"i": "1", "material": "4711", "n": 9}], "ops": [{"op": "10"}]},
         "OrderChanged (order, items, operations) is erp's, not mes's"),
        ("erp", "start", {"job": "J1"}, "RunStarted (equipment, run, outputs, order) is mes's, not erp's"),
        ("mes", "hold", {"lot": "L1"}, "HoldPlaced (material, lot, hold, version) is quality or operator's, not mes's"),
    ],
)  # fmt: skip
def test_an_update_of_the_wrong_system_is_refused_and_reported(system: str, kind: str, fields: Any, said: str) -> None:
    intake = owned_by(system)
    intake.fold(line(1, T, kind, po="O1", **fields))
    (letter,) = intake.sent("exceptions")
    assert (letter.code, letter.detail) == ("NOT_SYSTEM_OF_RECORD", said)
    assert not [record for topic in ("orders.inbox", "equipment.inbox", "lots.inbox") for record in intake.sent(topic)
                if not isinstance(record, Tick | ConfigActivated)]  # fmt: skip


def test_the_owner_is_believed_and_a_source_that_states_no_system_is_not_asked() -> None:
    for intake in (owned_by("mes"), Intake()):
        intake.fold(line(1, T, "state"), line(2, T, "taken", po="O1"))
        assert intake.sent("exceptions") == []
