"""A secured installation: Kafka that refuses strangers, a registry behind TLS with a password, all stages through to a receipt;
and each way of being refused, with its code and in time."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.erp.simulator.process import SimulatorProcess
from app.kafka.broker import Broker
from app.kafka.connection import Connection, checked, connection
from app.topology import STAGES
from tests.chaos.processes import SHORT
from tests.e2e.command import PROJECT
from tests.e2e.live_plant import CONFIG, RAW, Installation, order, shots, until
from tests.platform.certificates import Authority
from tests.platform.secured import ADMIN, SecuredCluster
from tests.platform.tls_proxy import TlsProxy

pytestmark = [pytest.mark.kafka, pytest.mark.registry, pytest.mark.slow]
REGISTRY_PASSWORD = "registry-canary-3b7e"
KEY_PASSWORD = "key-canary-55d1"
REFUSED_WITHIN_S = 30.0
SCRAM, MTLS = "password", "certificate"


class Secured:
    """The servers, and files of settings for their clients."""

    def __init__(self, cluster: SecuredCluster, proxy: TlsProxy, folder: Path) -> None:
        self.cluster, self.proxy, self.folder = cluster, proxy, folder
        self.registry = proxy.url + "/apis/ccompat/v7"
        self._files = 0

    def bootstrap(self, way: str) -> str:
        return self.cluster.scram if way == SCRAM else self.cluster.mtls

    def settings(self, way: str) -> dict[str, str]:
        """All that a client of the installation needs, its Kafka and its registry."""
        kafka = self.cluster.with_password() if way == SCRAM else self.cluster.with_certificate(key_password=KEY_PASSWORD)
        return {
            **kafka,
            "schema.registry.basic.auth.user.info": f"lineledger:{REGISTRY_PASSWORD}",
            "schema.registry.ssl.ca.location": str(self.cluster.authority.ca),
        }

    def file(self, settings: Mapping[str, str]) -> Path:
        self._files += 1
        path = self.folder / f"client-{self._files}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
        path.chmod(0o600)
        return path


@pytest.fixture(scope="module")
def secured(secured_cluster: SecuredCluster, registry_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    port = urlsplit(registry_url).port
    assert port is not None
    with TlsProxy(port, secured_cluster.authority, folder, user_info=f"lineledger:{REGISTRY_PASSWORD}") as proxy:
        yield Secured(secured_cluster, proxy, folder)


def _installed(secured: Secured, way: str, prefix: str, folder: Path, environ: Mapping[str, str]) -> Installation:
    """Topics by the administrator, schemas and everything else by the user with the rights of a worker."""
    file = secured.file(secured.settings(way))
    where = ["--bootstrap", secured.bootstrap(way), "--prefix", prefix, "--registry", secured.registry]
    where += ["--client-config", str(file)]
    plant = Installation(where, connection(secured.bootstrap(way), prefix, secured.registry, file), folder, environ)
    secured.cluster.allow(prefix)
    admin = secured.file(secured.cluster.with_password(ADMIN))
    broker = ["--bootstrap", secured.cluster.scram, "--prefix", prefix, "--client-config", admin]
    applied = plant.command("topics", "apply", *broker, "--raw", RAW, "--replication", "1")
    assert applied.code == 0, applied.said
    register = ["--registry", secured.registry, "--prefix", prefix, "--client-config", file]
    registered = plant.command("schemas", "apply", *register)
    assert registered.code == 0, registered.said
    return plant


@pytest.mark.parametrize("way", [SCRAM, MTLS])
def test_all_stages_become_a_receipt_on_a_secured_broker(secured: Secured, way: str, tmp_path: Path) -> None:
    with SimulatorProcess(tmp_path / "erp") as erp:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        plant = _installed(secured, way, f"{way}.", tmp_path, environ)
        with plant.workers(*STAGES):
            plant.send(*order(), *shots((0, 100), (1, 105), (2, 112)))
            until(lambda: plant.received("O1") == 12, "the receipt of 12 pieces")
            said = [plant.command("trace", "O1", *plant.where), plant.command("parked", *plant.where)]
            until(lambda: plant.command("reconcile", *plant.where).code == 0, "all partitions at one moment, and exact")
            exact = plant.command("reconcile", *plant.where, "--json")
            assert [answer.code for answer in said] == [0, 0], said
            shown = "".join(_arguments(pid) for pid in _children())
        assert exact.json["erp"]["agreeing"] == 1, exact.said
        texts = [shown, *(plant.log(stage) for stage in STAGES), *(answer.said for answer in (*said, exact))]
    for secret in (secured.settings(SCRAM)["sasl.password"], REGISTRY_PASSWORD, KEY_PASSWORD):
        assert not [text for text in texts if secret in text], "a secret is shown"


def test_another_password_during_operation(secured: Secured, tmp_path: Path) -> None:
    """As docs/security.md says it: workers go on, the new one goes into the file, and they are restarted."""
    prefix = "another."
    with SimulatorProcess(tmp_path / "erp") as erp:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        plant = _installed(secured, SCRAM, prefix, tmp_path, environ)
        file = Path(plant.where[-1])
        with plant.workers(*STAGES):
            plant.send(*order(), *shots((0, 100), (1, 105)))
            until(lambda: plant.received("O1") == 5, "5 pieces")
            old = secured.file(secured.settings(SCRAM))
            secured.cluster.change_password()
            file.write_bytes(secured.file(secured.settings(SCRAM)).read_bytes())
            plant.admin = connection(secured.cluster.scram, prefix, secured.registry, file)
            plant.send(*shots((2, 112)))
            until(lambda: plant.received("O1") == 12, "7 more, over the connections that are there")
            refused = plant.command(
                "worker", "orders", *plant.where[:-1], old, "--datadir", tmp_path / "old", "--instance", "old"
            )
            assert (refused.code, "FATAL BROKER_AUTH" in refused.stderr) == (85, True), refused.said
        with plant.workers(*STAGES):
            plant.send(*shots((3, 115)))
            until(lambda: plant.received("O1") == 15, "3 more, by those that read the file again")


def _children() -> list[int]:
    answer = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True)
    return [int(pid) for pid in answer.stdout.split()]


def _arguments(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def _wrong(secured: Secured, how: str, folder: Path) -> tuple[str, dict[str, str]]:
    """Address and settings of a client that is refused."""
    scram, mtls = secured.settings(SCRAM), secured.settings(MTLS)
    stranger = Authority(folder / "stranger")
    certificate, key = stranger.issue("lineledger")
    kept = {name: value for name, value in mtls.items() if not name.startswith(("ssl.certificate", "ssl.key"))}
    own = {"ssl.certificate.location": str(certificate), "ssl.key.location": str(key)}
    match how:
        case "wrong password":
            return secured.cluster.scram, {**scram, "sasl.password": "wrong"}
        case "wrong authority":
            return secured.cluster.scram, {**scram, "ssl.ca.location": str(stranger.ca)}
        case "no client certificate":
            return secured.cluster.mtls, kept
        case "certificate of a stranger":
            return secured.cluster.mtls, {**kept, **own}
        case "no rights":
            return secured.cluster.scram, scram
    raise ValueError(how)


REFUSALS = ["wrong password", "no client certificate", "wrong authority", "certificate of a stranger", "no rights"]
TOLD = REFUSALS[:2] if SHORT else REFUSALS[:4]


@pytest.mark.parametrize("how", REFUSALS)
def test_every_stage_that_is_refused_ends_with_its_code_in_time(secured: Secured, how: str, tmp_path: Path) -> None:
    bootstrap, settings = _wrong(secured, how, tmp_path)
    where = ["--bootstrap", bootstrap, "--prefix", "nobody.", "--registry", secured.registry]
    where += ["--client-config", str(secured.file(settings)), "--config", str(CONFIG)]
    environ = {**os.environ, "LIVE_ERP_URL": "http://127.0.0.1:1", "LIVE_ERP_TOKEN": "t"}
    command = [sys.executable, "-m", "app.cli.main", "worker"]
    started = [
        subprocess.Popen(
            [*command, stage, *where, "--datadir", str(tmp_path / stage)],
            cwd=PROJECT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for stage in STAGES
    ]
    ended = [(process.communicate(timeout=120)[0], process.returncode) for process in started]
    assert [code for _, code in ended] == [85] * len(STAGES), ended
    assert all("FATAL BROKER_AUTH" in said for said, _ in ended), ended
    assert not any(REGISTRY_PASSWORD in said for said, _ in ended)
    assert max(_took(said) for said, _ in ended) < REFUSED_WITHIN_S, ended


def _took(said: str) -> float:
    """Seconds from the first contact with the broker to the end, by the log's own clock: five processes start at once here."""
    times = [datetime.fromisoformat(json.loads(line)["time"]) for line in said.splitlines() if line.startswith("{")]
    return (times[-1] - times[0]).total_seconds()


@pytest.mark.parametrize("how", TOLD)
def test_a_command_that_is_refused_says_so(secured: Secured, how: str, tmp_path: Path) -> None:
    bootstrap, settings = _wrong(secured, how, tmp_path)
    plant = Installation([], Connection(Broker("")), tmp_path)
    where = ["--bootstrap", bootstrap, "--client-config", secured.file(settings)]
    for command in (["topics", "plan"], ["parked", "--registry", secured.registry], ["topics", "epoch", "show"]):
        outcome = plant.command(*command, *where)
        assert (outcome.code, outcome.stderr.splitlines()[-1].split(":")[0]) == (2, "BROKER_AUTH"), outcome.said


def test_a_topic_without_rights_is_not_an_empty_one(secured: Secured, tmp_path: Path) -> None:
    """Else the log epoch would be the first one, and a configuration missing."""
    plant = Installation([], Connection(Broker("")), tmp_path)
    where = ["--bootstrap", secured.cluster.scram, "--client-config", secured.file(secured.settings(SCRAM))]
    where += ["--prefix", "norights.", "--registry", secured.registry]
    assert plant.command("schemas", "apply", *where[2:]).code == 0
    outcome = plant.command("topics", "epoch", "show", *where)
    assert (outcome.code, outcome.stderr.splitlines()[-1].split(":")[0]) == (2, "BROKER_AUTH"), outcome.said


@pytest.mark.parametrize("how", ["wrong password", "no password", "wrong authority"])
def test_a_registry_that_refuses_ends_the_worker_at_once(secured: Secured, how: str, tmp_path: Path) -> None:
    settings = secured.settings(SCRAM)
    if how == "wrong authority":
        settings["schema.registry.ssl.ca.location"] = str(Authority(tmp_path / "stranger").ca)
    elif how == "no password":
        del settings["schema.registry.basic.auth.user.info"]
    else:
        settings["schema.registry.basic.auth.user.info"] = "lineledger:wrong"
    prefix = "refusing."
    secured.cluster.allow(prefix)
    plant = Installation([], Connection(Broker("")), tmp_path)
    admin = ["--bootstrap", secured.cluster.scram, "--client-config", secured.file(secured.cluster.with_password(ADMIN))]
    assert plant.command("topics", "apply", *admin, "--prefix", prefix, "--replication", "1").code == 0
    where = ["--bootstrap", secured.cluster.scram, "--prefix", prefix, "--registry", secured.registry]
    began = time.monotonic()
    outcome = plant.command("worker", "orders", *where, "--client-config", secured.file(settings), "--datadir", tmp_path)
    assert (outcome.code, "REGISTRY_REFUSED" in outcome.stderr) == (86, True), outcome.said
    assert time.monotonic() - began < REFUSED_WITHIN_S


def test_the_check_takes_what_the_broker_takes(secured: Secured) -> None:
    for way in (SCRAM, MTLS):
        kafka = {key: value for key, value in secured.settings(way).items() if not key.startswith("schema.")}
        assert checked(kafka) == kafka
