"""The real ERP behind TLS with an authority of its own: the adapter posts through it, and to nobody whom it does not know."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.erp.adapters import adapter_for
from app.erp.port import ErpAdapter
from app.erp.tryton.server import TrytonServer
from schemas.configuration import ErpConfig
from tests.integration.erp.contract import Case, case_duplicate, case_name, case_not_found, case_post
from tests.platform.certificates import Authority
from tests.platform.tls_proxy import TlsProxy

pytestmark = pytest.mark.tryton
POSTED = (case_post, case_duplicate, case_not_found)
UNKNOWN = "00000000000000AA"


class Served:
    """Tryton behind TLS that demands client certificates of `clients`."""

    def __init__(self, server: TrytonServer, proxy: TlsProxy, authority: Authority, clients: Authority) -> None:
        self.server, self.proxy, self.authority, self.clients = server, proxy, authority, clients

    @asynccontextmanager
    async def adapter(self, **changed: str) -> AsyncIterator[ErpAdapter]:
        """As erp.yaml describes it; `changed`: other keys of its `erp:`."""
        certificate, key = self.clients.issue("lineledger")
        address = urlsplit(self.server.posting_address)
        behind = f"{urlsplit(self.proxy.url).hostname}:{urlsplit(self.proxy.url).port}"
        endpoint = {"adapter": "tryton", "url": f"https://{address.username}@{behind}{address.path}", "secret": "tryton"}
        endpoint |= {"timeout": "60 s", "ca": str(self.authority.ca), "certificate": str(certificate), "key": str(key)}
        kept = {name: value for name, value in (endpoint | changed).items() if value}
        made = adapter_for(ErpConfig.model_validate({"erp": kept}), {"TRYTON": self.server.posting_password})
        assert made is not None
        try:
            yield made
        finally:
            await made.close()


@pytest.fixture(scope="module")
def served(tryton: TrytonServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tryton-tls")
    authority, clients = Authority(folder / "erp"), Authority(folder / "clients", "clients-ca")
    port = urlsplit(tryton.url).port
    assert port is not None
    with TlsProxy(port, authority, folder, clients=clients) as proxy:
        yield Served(tryton, proxy, authority, clients)


@pytest.mark.parametrize("case", POSTED, ids=case_name)
async def test_documents_are_posted_through_it(case: Case, served: Served, order: str) -> None:
    async with served.adapter() as adapter:
        await case(adapter, order)


async def test_an_erp_of_another_authority_hears_nothing(served: Served, tmp_path: Path) -> None:
    async with served.adapter(ca=str(Authority(tmp_path).ca)) as adapter:
        answer = await adapter.find(UNKNOWN, "x")
    assert (answer.result, answer.code, "not trusted" in answer.detail) == ("unknown", "ERP_UNREACHABLE", True), answer


async def test_an_erp_of_an_authority_that_nobody_named_hears_nothing(served: Served) -> None:
    async with served.adapter(ca="", certificate="", key="") as adapter:
        answer = await adapter.find(UNKNOWN, "x")
    assert (answer.result, "not trusted" in answer.detail) == ("unknown", True), answer


async def test_without_a_client_certificate_nobody_is_let_in(served: Served) -> None:
    async with served.adapter(certificate="", key="") as adapter:
        assert (await adapter.find(UNKNOWN, "x")).result == "unknown"
    async with served.adapter() as adapter:
        assert (await adapter.find(UNKNOWN, "x")).result == "not_found"
