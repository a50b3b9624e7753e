"""Every ERP adapter of the register: its folder, what it can do, and what it answers when nobody is there."""

import pkgutil
import re
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from app import erp as folders
from app.configuration.erp_checks import capabilities
from app.erp.adapters import adapter_for
from app.erp.connector import Connector, connector_of
from app.erp.port import Document, DocumentLine, ErpAdapter, ErpUnavailable
from app.erp.traffic import FIND, POST, QUESTION, Request, Sink
from schemas.configuration import ErpConfig, PlantConfig, RulesConfig
from schemas.configuration.adapters import ADAPTERS, NO_ADAPTER, AdapterEntry

LINE = DocumentLine(
    "P1", "hash", "yield", "1", "0010", "M", "", "", "FG", "", 5, 0, "PC", document_date="2026-01-15", posting_date="2026-01-15"
)
each_adapter = pytest.mark.parametrize("name", ADAPTERS)


class Told(Sink):
    def __init__(self) -> None:
        self.requests: list[Request] = []

    def tell(self, request: Request) -> None:
        self.requests.append(request)


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def made(name: str, port: int, sink: Sink) -> ErpAdapter:
    user, path = ("anna@", "/books") if ADAPTERS[name].user_in_url else ("", "")
    endpoint = {"adapter": name, "url": f"http://{user}127.0.0.1:{port}{path}", "secret": "erp", "timeout": "2 s"}
    adapter = adapter_for(ErpConfig.model_validate({"erp": endpoint}), {"ERP": "token"}, sink)
    assert adapter is not None
    return adapter


def test_each_adapter_has_a_folder_and_each_folder_is_registered() -> None:
    packages = [module.name for module in pkgutil.iter_modules(folders.__path__) if module.ispkg]
    connected = {name for name in packages if find_spec(f"app.erp.{name}.adapter")}
    assert connected == ADAPTERS.keys()
    assert NO_ADAPTER not in ADAPTERS


@each_adapter
def test_a_run_can_start_what_the_register_says(name: str) -> None:
    connector = connector_of(name)
    assert isinstance(connector, Connector)
    assert (connector.start is not None) == (ADAPTERS[name].started != "never")


@each_adapter
async def test_it_can_what_its_entry_says(name: str, nobody: int) -> None:
    adapter, entry = made(name, nobody, Told()), ADAPTERS[name]
    can = adapter.capabilities
    assert (can.idempotent, can.stock_types, can.derives) == (entry.idempotent, entry.stock_types, entry.derives)
    assert can.commit_horizon_ms * 1_000 >= entry.commit_horizon_us
    assert can.call_timeout_ms == 2_000
    await adapter.close()


@each_adapter
async def test_where_nobody_answers_nothing_is_raised_and_nothing_is_proved(name: str, nobody: int) -> None:
    """Not a byte of the document left, so that it may go again; a question without an answer is told as such."""
    told = Told()
    adapter = made(name, nobody, told)
    assert (await adapter.post(Document([LINE]))).result == "retry"
    assert (await adapter.find("P1", "hash")).result == "unknown"
    for asked in (adapter.movements, adapter.confirmations):
        with pytest.raises(ErpUnavailable):
            await asked(["1"])
    if ADAPTERS[name].master_data:
        with pytest.raises(ErpUnavailable):
            await adapter.master_data("")
    await adapter.close()
    assert {request.call for request in told.requests} <= {POST, FIND, QUESTION, "login", "master"}, "each says what it is for"


@each_adapter
async def test_no_orders_are_no_question(name: str, nobody: int) -> None:
    adapter = made(name, nobody, Told())
    assert await adapter.movements([]) == []
    assert await adapter.confirmations([]) == []
    await adapter.close()


LEAST = AdapterEntry(
    title="toy", idempotent=False, commit_horizon_us=0, lock="erp", most_lines=1, units=frozenset({"EA"}), started="never"
)
FITTING = {"adapter": "sim", "concurrency": 1, "lines_per_document": 1}
SOURCE = {"read": {}, "events": [{"ignore": "true"}]}
RULES = {"on_hold": {"receipt": "wait"}}


@pytest.mark.parametrize(
    ("erp", "rules", "plant", "found"),
    [
        ({"erp": FITTING}, RULES, {}, []),
        ({"erp": {**FITTING, "idempotent": True}}, RULES, {}, [("erp", "idempotent")]),
        ({"erp": {**FITTING, "idempotent": False}}, RULES, {}, []),
        ({"erp": {**FITTING, "lines_per_document": 2}}, RULES, {}, [("erp", "lines_per_document")]),
        ({"erp": {**FITTING, "concurrency": 2}}, RULES, {}, [("erp", "concurrency")]),
        ({"erp": FITTING, "identifiers": {"unit": {"PC": "u"}}}, RULES, {}, [("identifiers", "unit", "PC")]),
        ({"erp": FITTING, "identifiers": {"unit": {"PC": "EA"}}}, RULES, {}, []),
        ({"erp": FITTING, "book": {"machine_time": {"unit": "h"}}}, RULES, {}, [("book", "machine_time", "unit")]),
        ({"erp": FITTING}, {}, {}, [("on_hold", "receipt")]),
        ({"erp": FITTING}, {"on_hold": {"receipt": "wait", "scrap": "into_inspection_stock"}}, {}, [("on_hold", "scrap")]),
        ({"erp": FITTING}, RULES, {"master_data": {"orders": "erp"}}, [("master_data",)]),
    ],
)
def test_what_the_adapter_cannot_do_is_found_in_the_configuration(
    erp: dict[str, object],
    rules: dict[str, object],
    plant: dict[str, object],
    found: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configuration = (
        PlantConfig.model_validate({"plant": {"id": "P", "zone": "UTC"}, "sources": {"s": SOURCE}, **plant}),
        RulesConfig.model_validate(rules),
        ErpConfig.model_validate(erp),
    )
    assert list(capabilities(*configuration)) == [], "the simulator can all that"
    monkeypatch.setattr("schemas.configuration.erp.ADAPTERS", {"sim": LEAST})
    assert [finding.path for finding in capabilities(*configuration)] == found


def test_the_documents_name_the_adapters() -> None:
    text = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
    row = re.search(r"^\| `erp\.adapter` \| ([^(]+) \(none\)", text, re.MULTILINE)
    assert row is not None
    assert row[1].split(", ") == [*ADAPTERS, NO_ADAPTER]
