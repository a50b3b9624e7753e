"""Another secret of the ERP in its file: delivery takes it while it runs, and it is in no log."""

from pathlib import Path

import pytest

from app.erp.simulator.process import SimulatorProcess
from app.kafka.connection import connection
from tests.e2e.command import lineledger
from tests.e2e.live_plant import RAW, Installation, order, shots, until

pytestmark = [pytest.mark.kafka, pytest.mark.registry, pytest.mark.slow]

STAGES = ("intake", "equipment", "lots", "orders", "delivery")
WRONG = "canary-of-a-token-that-is-over-4711"


def test_without_a_restart(kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path) -> None:
    broker = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix]
    applied = lineledger("topics", "apply", *broker, "--raw", RAW, "--replication", "1")
    assert applied.code == 0, applied.said
    assert lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix).code == 0
    secret = tmp_path / "token"
    secret.write_text(WRONG, encoding="utf-8")
    with SimulatorProcess(tmp_path / "erp") as erp:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN_FILE": str(secret)}
        where = [*broker, "--registry", registry_url]
        plant = Installation(where, connection(kafka_bootstrap, topic_prefix, registry_url), tmp_path, environ)
        with plant.workers(*STAGES):
            plant.send(*order(), *shots((0, 100), (1, 105), (2, 112)))
            refused = ("ERP_ACCESS", "ERP_LOGIN_REFUSED")
            until(lambda: any(code in plant.command("status", *where).stdout for code in refused), "a refusal of the ERP")
            secret.write_text(erp.token, encoding="utf-8")
            until(lambda: plant.received("O1") == 12, "the receipt of 12 pieces, by the process that runs")
        shown = [plant.log(stage) for stage in STAGES]
    assert not [text for text in shown for token in (WRONG, erp.token) if token in text], "a secret is shown"
