"""An ERP behind TLS: its own authority, client certificates, and what must not be sent in the open."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.erp.adapters import adapter_for
from app.erp.port import ErpAdapter
from app.erp.simulator.process import SimulatorProcess
from schemas.configuration import ErpConfig
from tables.refusal import RefusedValue
from tests.platform.certificates import Authority
from tests.platform.tls_proxy import TlsProxy

CANARY = "canary-8f1c"


class Served:
    """A simulator behind TLS that demands client certificates of `clients`."""

    def __init__(self, url: str, token: str, authority: Authority, clients: Authority) -> None:
        self.url, self.authority, self.clients = url, authority, clients
        self.environ = {"ERP_TOKEN": token, "KEY_PASSWORD": CANARY}

    def configured(self, **changed: object) -> ErpConfig:
        certificate, key = self.clients.issue("lineledger", CANARY)
        endpoint = {"adapter": "sim", "url": self.url, "secret": "erp-token", "timeout": "5 s", "ca": str(self.authority.ca)}
        endpoint |= {"certificate": str(certificate), "key": str(key), "key_secret": "key-password"}
        kept = {name: value for name, value in (endpoint | changed).items() if value is not None}
        return ErpConfig.model_validate({"erp": kept})

    @asynccontextmanager
    async def adapter(self, **changed: object) -> AsyncIterator[ErpAdapter]:
        made = adapter_for(self.configured(**changed), self.environ)
        assert made is not None
        try:
            yield made
        finally:
            await made.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    authority, clients = Authority(folder / "erp"), Authority(folder / "clients", "clients-ca")
    with SimulatorProcess(folder / "sim") as simulator:
        port = urlsplit(simulator.url).port
        assert port is not None
        with TlsProxy(port, authority, folder, clients=clients) as proxy:
            yield Served(proxy.url, simulator.token, authority, clients)


async def test_own_authority_and_client_certificate_reach_the_erp(served: Served) -> None:
    async with served.adapter() as adapter:
        assert (await adapter.find("00000000000000AA", "x")).result == "not_found"


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"ca": None}, "not trusted"), ({"certificate": None, "key": None, "key_secret": ""}, "")],
    ids=["no authority", "no client certificate"],
)
async def test_without_them_it_is_unreachable_and_says_why(served: Served, changed: dict[str, object], says: str) -> None:
    async with served.adapter(**changed) as adapter:
        answer = await adapter.find("00000000000000AA", "x")
    assert (answer.result, says in answer.detail) == ("unknown", True), answer
    assert answer.code in ("ERP_UNREACHABLE", "CONNECTION_LOST")


async def test_a_certificate_of_a_stranger_is_refused(served: Served, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue("lineledger")
    async with served.adapter(certificate=str(certificate), key=str(key), key_secret="") as adapter:
        assert (await adapter.find("00000000000000AA", "x")).result == "unknown"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"url": "http://erp.example/"}, "ERP_URL_INSECURE"),
        ({"adapter": "tryton", "url": "http://user@erp.example/db"}, "ERP_URL_INSECURE"),
        ({"url": "ftp://erp.example/"}, "ERP_URL_INVALID"),
        ({"url": f"https://user:{CANARY}@erp.example/"}, "ERP_URL_INVALID"),
        ({"adapter": "tryton", "url": f"https://user:{CANARY}@erp.example/db"}, "ERP_URL_INVALID"),
        ({"url": "${ERP_ADDRESS}"}, "ERP_URL_INVALID"),
        ({"ca": "/no/such/file"}, "ERP_TLS_INVALID"),
        ({"key_secret": "erp-token"}, "ERP_TLS_INVALID"),
        ({"certificate": None}, "ERP_TLS_INVALID"),
        ({"key_secret": "not-there"}, "SECRET_MISSING"),
        ({"ca": "${NOT_THERE}"}, "ENVIRONMENT_MISSING"),
    ],
)
def test_what_must_not_be_is_refused_with_its_code_and_shows_no_secret(
    served: Served, changed: dict[str, object], code: str
) -> None:
    environ = {**served.environ, "ERP_ADDRESS": f"https://user:{CANARY}@erp.example/"}
    with pytest.raises(RefusedValue) as refused:
        adapter_for(served.configured(**changed), environ)
    assert refused.value.refusal.code == code
    assert CANARY not in str(refused.value) + refused.value.refusal.detail


def test_http_to_another_machine_only_when_it_is_stated(served: Served) -> None:
    assert adapter_for(served.configured(url="http://erp.example/", insecure=True), served.environ) is not None
    assert adapter_for(served.configured(url="http://127.0.0.1:1/"), served.environ) is not None
