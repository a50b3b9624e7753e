"""An ERP is paused and resumed by commands, while five workers on a real Kafka go on."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess
from app.topology import STAGES
from tests.e2e.live_plant import CONFIG, order, shots, until
from tests.e2e.test_start import _installed

pytestmark = [pytest.mark.kafka, pytest.mark.registry, pytest.mark.slow]
OPS = "raw.live.ops"


def calls(erp: SimulatorProcess) -> int:
    """Documents and questions about postings, by the ERP's own log; what this test asks itself left out."""

    async def counted() -> int:
        control = SimulatorControl(erp.url, erp.token)
        try:
            return sum([1 async for call in control.requests() if not call.target.startswith("/movements")])
        finally:
            await control.close()

    return asyncio.run(counted())


def test_nothing_leaves_while_the_erp_is_paused(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    plant.config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    file = plant.config / "plant.yaml"
    ops = f"  ops: {{read: {{topic: {OPS}, format: replay}}}}\n"
    file.write_text(file.read_text(encoding="utf-8").replace("equipment:\n  P1:", f"{ops}equipment:\n  P1:"), encoding="utf-8")
    applied = plant.command("topics", "apply", *plant.where[:4], "--raw", OPS, "--replication", "1")
    assert applied.code == 0, applied.said
    said = ["--who", "ERP team", "--why", "stock count", *plant.where]

    def problems() -> str:
        return str(plant.command("status", *plant.where).stdout)

    with SimulatorProcess(tmp_path / "erp") as erp:
        plant.environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        with plant.workers(*STAGES):
            plant.send(*order(), *shots((0, 100), (1, 105)))
            until(lambda: plant.received("O1") == 5, "five pieces")
            paused = plant.command("erp", "pause", *said)
            assert paused.code == 0, paused.said
            until(lambda: "paused, by" in problems(), "status says who paused the ERP")
            before = calls(erp)
            plant.send(*shots((2, 112)))
            until(lambda: "1 queued" in problems(), "a posting that waits")
            time.sleep(2)  # that nothing comes is the claim
            assert calls(erp) == before
        with plant.workers(*STAGES):
            until(lambda: "1 queued" in problems(), "the next owners")
            time.sleep(2)  # as above
            assert calls(erp) == before
            resumed = plant.command("erp", "resume", *said)
            assert resumed.code == 0, resumed.said
            until(lambda: plant.received("O1") == 12, "what waited")
            assert "paused" not in problems()
