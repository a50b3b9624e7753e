"""A configuration that changes while the plant runs: mapping, counter and rules. The right pieces are received, and every posting
of before, between and after explains itself down to its raw records."""

import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.erp.simulator.process import SimulatorProcess
from app.kafka.broker import Broker
from app.ledger.questions.trace import OK, check
from tables.orders.account import row_key
from tests.e2e.command import lineledger
from tests.e2e.test_live import STOP_S, ready, received, send, until, worker
from tests.e2e.test_live_trace import Asked
from tests.platform.process import free_ports

LIVE = Path(__file__).parent / "live"
DEFINITIONS = ("", "shows: remaining", 'shows: remaining, at_most: "40 / reading"')
"""Of the counter, one configuration after the other. From the second one on its value has another name, and rules other times."""


def configured(folder: Path, number: int) -> Path:
    home = folder / f"configuration-{number}"
    home.mkdir()
    plant = (LIVE / "plant.yaml").read_text()
    assert plant.count("value: n") == 1 and plant.count("{counts: gross}") == 1
    if number:
        plant = plant.replace("value: n", "value: left").replace("{counts: gross}", f"{{counts: gross, {DEFINITIONS[number]}}}")
    (home / "plant.yaml").write_text(plant)
    (home / "rules.yaml").write_text(f"post:\n  - {{kind: yield, when: every {2 + bool(number)} s}}\n")
    (home / "erp.yaml").write_text((LIVE / "erp.yaml").read_text())
    return home


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.slow
def test_postings_of_all_configurations_explain_themselves(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    at = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix]
    configurations = [configured(tmp_path, number) for number in range(len(DEFINITIONS))]
    applied = lineledger("topics", "apply", *at, "--config", configurations[0], "--replication", "1")
    assert applied.code == 0, applied.said
    registered = lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix)
    assert registered.code == 0, registered.said
    where = [*at, "--registry", registry_url]

    def asked() -> Asked:
        return Asked(Broker(kafka_bootstrap), registry_url, topic_prefix, "LIVE")

    with SimulatorProcess(tmp_path / "erp") as erp, ExitStack() as running:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        ports = free_ports(2 + len(configurations))
        running.enter_context(worker(["equipment", "lots", "orders"], ports[0], where, environ, tmp_path))
        running.enter_context(worker(["delivery"], ports[1], where, environ, tmp_path, config=configurations[0]))

        def deployed(number: int) -> subprocess.Popen[bytes]:
            config, port = configurations[number], ports[2 + number]
            process = running.enter_context(worker(["intake"], port, where, environ, tmp_path, config, str(number)))
            until(lambda: ready(port), "intake to be ready")
            return process

        def replaced(process: subprocess.Popen[bytes], number: int) -> subprocess.Popen[bytes]:
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_S) == 0
            before = asked().rows.configuration.hash
            fresh = deployed(number)
            until(lambda: asked().rows.configuration.hash != before, "the next configuration to hold")
            return fresh

        intake, seq = deployed(0), 0

        def shots(name: str, *values: int, **fields: object) -> None:
            nonlocal seq
            for value in values:
                seq += 1
                send(kafka_bootstrap, topic_prefix, {"type": "shots", name: value, "seq": seq, "id": f"s{seq}", **fields})

        until(lambda: all(ready(port) for port in ports[:2]), "workers to be ready")
        order, start = (
            {"type": "order", "po": "O1", "qty": 1000, "id": "o"},
            {"type": "start", "po": "O1", "run": "R1", "id": "r"},
        )
        send(kafka_bootstrap, topic_prefix, order, start)
        shots("n", 100, 110, 130)
        late = time.time_ns() // 1_000_000
        until(lambda: received(environ, "O1") == 30, "30 pieces: a tick behind what came late")
        intake = replaced(intake, 1)
        shots("left", 500, 495, 480)
        shots("left", 133, ts=late)
        until(lambda: received(environ, "O1") == 33 + 20, "20 pieces, and 3 that came late")
        intake = replaced(intake, 2)
        shots("left", 470, 400)
        until(lambda: received(environ, "O1") == 53 + 10, "10 pieces, and 70 that nobody believes")
        send(kafka_bootstrap, topic_prefix, {"type": "start", "po": "O1", "run": "R2", "id": "r2", "ts": late + 1})
        shots("left", 395)

        found = asked()
        postings = found.postings("yield")
        assert len({posting.configuration for _, posting in postings}) == len(configurations)
        for row, posting in postings:
            verdict = check(found.rows, row, posting, found.sources)
            assert verdict.verdict == OK, (row_key(row), posting.posting_id, verdict.detail)
        for _, posting in postings:
            traced = lineledger("trace", posting.posting_id, *where, "--json")
            assert (traced.code, traced.json["verdict"]) == (0, "OK"), traced.said
        exact = lineledger("reconcile", "--sources", *where, "--json", environ=environ)
        assert (exact.code, exact.json["differences"]) == (0, []), exact.said
        assert exact.json["re_added"] == len(asked().postings())
