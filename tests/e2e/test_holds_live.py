"""People stop lots and free them on a living installation: through the raw topic of the plant's operators, on a real Kafka."""

from pathlib import Path
from typing import Any

import pytest

from app.erp.simulator.process import SimulatorProcess
from app.topology import STAGES
from tests.e2e.live_plant import CONFIG, RAW, Installation, order, shots, until
from tests.e2e.test_start import _installed

OPS = "raw.live.ops"
SAID = ("--who", "A. Person", "--why", "bubbles in the wall")


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.slow
def test_live_a_hold_stops_what_a_lot_went_into_until_it_is_released(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    plant.config = tmp_path / "config"
    plant.config.mkdir(exist_ok=True)
    for file in CONFIG.iterdir():
        text = file.read_text(encoding="utf-8")
        split = "      - {when: {type: split}, emit: LotSplit, material: =4711, lot: lot, children: {each: into}}\n"
        ops = f"  ops: {{read: {{topic: {OPS}, format: replay}}}}\n"
        text = text.replace("equipment:\n  P1:", f"{split}{ops}equipment:\n  P1:")
        text += "on_hold: {receipt: wait}\n" if file.name == "rules.yaml" else ""
        (plant.config / file.name).write_text(text, encoding="utf-8")
    applied = plant.command("topics", "apply", *plant.where[:4], "--raw", f"{OPS}", "--raw", RAW, "--replication", "1")
    assert applied.code == 0, applied.said

    def hold(*arguments: str) -> Any:
        outcome = plant.command("hold", *arguments, *plant.where, "--json")
        assert outcome.code == 0, outcome.said
        return outcome.json

    def gates(plant: Installation) -> list[str]:
        outcome = plant.command("hold", "show", "8D-17", *plant.where, "--json")
        return [one["gate"] for one in outcome.json["lots"]] if outcome.code == 0 else []

    with SimulatorProcess(tmp_path / "erp") as erp:
        plant.environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        with plant.workers(*STAGES):
            plant.send({"type": "split", "lot": "L0", "into": ["L1"], "id": "x1"}, *order(), *shots((0, 100), (1, 112)))
            until(lambda: plant.received("O1") == 12, "the receipt of 12 pieces")
            tried = hold("place", "8D-17", "L0", *SAID, "--dry-run")
            assert [one["lot"] for one in tried["lots"]] == ["4711|L0", "4711|L1"]
            assert [one["then"] for one in tried["postings"]] == ["in the ERP"]
            assert hold("list") == [], "nothing was written"

            assert hold("place", "8D-17", "L0", *SAID)["written"] == 1
            until(lambda: gates(plant) == ["closed", "closed"], "both gates closed")
            plant.send(*shots((2, 120)))
            until(lambda: [one["state"] for one in hold("show", "8D-17")["postings"]] == ["held"], "a receipt that waits")
            assert plant.received("O1") == 12

            freed = hold("release", "8D-17", *SAID, "--dry-run")
            assert [(one["lot"], one["after"]) for one in freed["lots"]] == [("4711|L0", []), ("4711|L1", [])]
            assert hold("release", "8D-17", *SAID)["written"] == 1
            until(lambda: plant.received("O1") == 20, "the receipt that waited")
            (entry,) = hold("list", "--all")
            assert (entry["state"], entry["why"]) == ("released", SAID[3])
