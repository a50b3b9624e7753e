"""Which secrets a worker hides in its log: all that its configuration names, whatever their names and wherever they are."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app import worker
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.kafka.registry import Registry
from app.observability.secrets import HIDDEN, Secrets
from app.settings import Settings
from tests.unit.streams.quality_bench import configuration

KEPT = {name: f"canary-{name}-4711" for name in ("erp", "card", "badges", "sasl", "registry", "tls")}


class Started(BaseException):
    """The worker is about to run."""


def test_every_secret_that_is_named_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "card"
    file.write_text(KEPT["card"], encoding="utf-8")
    monkeypatch.setenv("ERP_BRN1", KEPT["erp"])
    monkeypatch.setenv("PIN_OF_THE_CARD_FILE", str(file))
    monkeypatch.setenv("SALT", KEPT["badges"])
    security = {"sasl.password": KEPT["sasl"], "ssl.key.password": KEPT["tls"]}
    registry = Registry("https://registry.example/", {"basic.auth.user.info": f"lineledger:{KEPT['registry']}"})
    found: list[Secrets] = []

    def starting(secrets: Secrets) -> AbstractContextManager[None]:
        found.append(secrets)
        raise Started

    monkeypatch.setattr(worker, "of_a_worker", starting)
    wanted = configuration(
        plant={"private_key": "salt"},
        erp={"erp": {"adapter": "sim", "url": "https://erp.example/", "secret": "erp-brn1", "key_secret": "pin-of-the-card"}},
    )
    settings = Settings(Connection(Broker("127.0.0.1:1", security), "", registry), datadir=str(tmp_path))
    with pytest.raises(Started):
        worker.run(["intake"], settings, wanted)
    assert {name: found[0].hide(secret) for name, secret in KEPT.items()} == dict.fromkeys(KEPT, HIDDEN)
