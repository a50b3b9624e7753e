"""A canary in the place of each secret of an installation, through the failures that it really has: no output, log or file of the
worker or of a command shows it, in no encoding."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from app.erp.canary import find_leaks
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from tests.e2e.live_plant import CONFIG, Installation
from tests.e2e.test_secured import MTLS, REGISTRY_PASSWORD, SCRAM, Secured
from tests.platform.secured import ADMIN, SecuredCluster
from tests.platform.tls_proxy import TlsProxy

pytestmark = [pytest.mark.kafka, pytest.mark.registry]
CANARY = "canary-Zx81/of+a secret:4711"
WEAK = "canary-4711"
PREFIX = "canaries."


@pytest.fixture(scope="module")
def secured(secured_cluster: SecuredCluster, registry_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Servers, with the topics of an installation that has no schemas."""
    folder = tmp_path_factory.mktemp("canaries")
    port = urlsplit(registry_url).port
    assert port is not None
    with TlsProxy(port, secured_cluster.authority, folder, user_info=f"lineledger:{REGISTRY_PASSWORD}") as proxy:
        made = Secured(secured_cluster, proxy, folder)
        secured_cluster.allow(PREFIX)
        admin = ["--bootstrap", secured_cluster.scram, "--client-config", made.file(secured_cluster.with_password(ADMIN))]
        plant = Installation([], Connection(Broker("")), folder)
        applied = plant.command("topics", "apply", *admin, "--prefix", PREFIX, "--raw", "raw.live.presses", "--replication", "1")
        assert applied.code == 0, applied.said
        yield made


class Failure(NamedTuple):
    """`environ` and `settings` are added to those that work. `asks`: commands that fail of the same."""

    code: str
    settings: Mapping[str, str] = MappingProxyType({})
    environ: Mapping[str, str] = MappingProxyType({})
    way: str = SCRAM
    asks: tuple[str, ...] = ()


def unreadable(folder: Path) -> Path:
    file = folder / "no.key"
    file.write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n", encoding="utf-8")
    return file


def failure(name: str, secured: Secured, folder: Path) -> Failure:
    certificate, key = secured.cluster.authority.issue("keyed", "another password")
    registry_key = {"schema.registry.ssl.certificate.location": str(certificate), "schema.registry.ssl.key.location": str(key)}
    kept = folder / "key"
    asks = ("parked", "topics", "schemas")
    match name:
        case "password of the broker":
            return Failure("BROKER_AUTH", {"sasl.password": CANARY}, asks=asks[:2])
        case "password of the registry":
            return Failure("REGISTRY_REFUSED", {"schema.registry.basic.auth.user.info": f"lineledger:{CANARY}"}, asks=asks[2:])
        case "password of a key":
            return Failure("CLIENT_CONFIG_INVALID", {"ssl.key.password": CANARY}, way=MTLS)
        case "a key that is none":
            found = {"ssl.key.location": str(unreadable(folder)), "ssl.key.password": CANARY}
            return Failure("CLIENT_CONFIG_INVALID", found, way=MTLS)
        case "password of the registry's key":
            return Failure("", {**registry_key, "schema.registry.ssl.key.password": CANARY}, asks=asks[2:])
        case "private key that is weak":
            return Failure("PRIVATE_KEY_WEAK", environ={"LINELEDGER_PRIVATE_KEY": WEAK})
        case "private key in a file that is no text":
            kept.write_bytes(CANARY.encode() + b"\xff\xfe")
            return Failure("SECRET_MISSING", environ={"LINELEDGER_PRIVATE_KEY_FILE": str(kept)})
        case "private key of a process that is refused":
            kept.write_text(CANARY, encoding="utf-8")
            wrong = {"sasl.password": "wrong-password"}
            return Failure("BROKER_AUTH", wrong, {"LINELEDGER_PRIVATE_KEY_FILE": str(kept)})
    raise ValueError(name)


NAMES = (
    "password of the broker", "password of the registry", "password of a key", "a key that is none",
    "password of the registry's key", "private key that is weak", "private key in a file that is no text",
    "private key of a process that is refused",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_shown_by_no_failure(name: str, secured: Secured, tmp_path: Path) -> None:
    made = failure(name, secured, tmp_path)
    file = secured.file({**secured.settings(made.way), **made.settings})
    connected = ["--bootstrap", secured.bootstrap(made.way), "--client-config", str(file)]
    registry = ["--prefix", PREFIX, "--registry", secured.registry]
    environ = {"LIVE_ERP_URL": "http://127.0.0.1:1", "LIVE_ERP_TOKEN": "a-token-of-a-test", **made.environ}
    plant = Installation([], Connection(Broker("")), tmp_path, environ)
    data = tmp_path / "data"
    commands = {
        "parked": ["parked", *connected, *registry],
        "topics": ["topics", "plan", *connected],
        "schemas": ["schemas", "plan", "--client-config", str(file), *registry],
    }
    worker = plant.command("worker", "intake", *connected, *registry, "--config", CONFIG, "--datadir", data)
    answers = [worker, *(plant.command(*commands[ask]) for ask in made.asks)]
    assert all(answer.code not in (0, 1) for answer in answers), answers
    assert all(made.code in answer.said for answer in answers), [answer.said for answer in answers]
    written = [path.read_bytes() for path in data.rglob("*") if path.is_file()]
    left = [answer.said.encode() for answer in answers] + written
    assert find_leaks(left, [CANARY, WEAK]) == []


def test_the_search_finds_what_would_be_shown() -> None:
    """In the forms that these clients have: as it is, in an address, as the user info of HTTP."""
    address = f"https://lineledger:{quote(CANARY, safe='')}@registry/"
    shown = [CANARY, address, base64.b64encode(f"lineledger:{CANARY}".encode()).decode()]
    assert len(find_leaks([text.encode() for text in shown], [CANARY])) == len(shown)
