"""Large raw records through a run on the embedded broker, which keeps 5 MB per partition and says nothing when it drops more."""

import base64
import json
import random
from pathlib import Path

from tests.e2e.command import lineledger

PLANT = """
plant: {id: P, zone: UTC, quantity_from: declarations}
sources:
  floor:
    read: {format: json, event_id: id, occurred_at: at, received_at: at}
    events:
      - {when: {t: picture}, ignore: true}
"""
RECORDS, BYTES = 3_000, 6_000
"""18 MB that do not compress, all of it there before intake has started."""


def test_the_feeder_waits_for_bytes_too(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT, encoding="utf-8")
    (tmp_path / "rules.yaml").write_text("post: []\n", encoding="utf-8")
    (tmp_path / "erp.yaml").write_text("erp: {adapter: none}\n", encoding="utf-8")
    rnd = random.Random(5)
    with (tmp_path / "floor.jsonl").open("w", encoding="utf-8") as file:
        for number in range(RECORDS):
            picture = base64.b85encode(rnd.randbytes(BYTES)).decode().replace("\\", "")
            file.write(json.dumps({"id": f"e{number}", "at": "2026-11-20T08:00:00Z", "t": "picture", "p": picture}) + "\n")
    out = tmp_path / "out"
    outcome = lineledger("run", "--embedded", "--config", tmp_path, "--input", tmp_path / "floor.jsonl", "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    assert outcome.json["raw"] == {"raw": RECORDS, "ignored": RECORDS}
