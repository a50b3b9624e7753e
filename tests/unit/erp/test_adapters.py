"""Which adapter a configuration asks for, and how a posting becomes a document."""

import pytest

from app.erp.adapters import adapter_for, resolved, secret_of
from app.erp.discreet import DiscreetAdapter
from app.erp.documents import document_for
from app.erp.sim.adapter import SimAdapter
from app.erp.tryton.adapter import TrytonAdapter
from schemas.records import Movement, PostingRow
from tables.refusal import RefusedValue
from tests.unit.streams.quality_bench import configuration, posting


async def test_the_adapter_follows_the_configuration() -> None:
    environ = {"ERP_URL": "http://127.0.0.1:1", "ERP_BRN1": "token"}
    sim = {"adapter": "sim", "url": "${ERP_URL}", "secret": "erp-brn1", "idempotent": False, "timeout": "3 s"}
    made = adapter_for(configuration(erp={"erp": sim}).erp, environ)
    assert isinstance(made, DiscreetAdapter)
    assert isinstance(made.adapter, SimAdapter)
    assert (made.capabilities.idempotent, made.capabilities.call_timeout_ms) == (False, 3_000)
    await made.close()
    tryton = {"adapter": "tryton", "url": "http://ledger@127.0.0.1:1/plant", "secret": "erp-brn1"}
    made = adapter_for(configuration(erp={"erp": tryton}).erp, environ)
    assert isinstance(made, DiscreetAdapter)
    assert isinstance(made.adapter, TrytonAdapter)
    await made.close()
    assert adapter_for(configuration(erp={"erp": {"adapter": "none"}}).erp, {}) is None


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ({"adapter": "sim", "url": "${NOWHERE}"}, "ENVIRONMENT_MISSING"),
        ({"adapter": "sim", "url": "https://x", "secret": "erp-x"}, "SECRET_MISSING"),
        ({"adapter": "sim", "url": "http://127.0.0.1:1"}, "SECRET_MISSING"),
        ({"adapter": "sim", "url": "http://127.0.0.1:1", "secret": "erp-empty"}, "SECRET_MISSING"),
        ({"adapter": "tryton", "url": "https://u@x/db"}, "SECRET_MISSING"),
        ({"adapter": "tryton", "url": "https://x/db", "secret": "erp-set"}, "ERP_URL_INVALID"),
        ({"adapter": "sim"}, "ERP_URL_INVALID"),
    ],
)
def test_what_is_missing_is_named_by_code(endpoint: dict[str, str], code: str) -> None:
    with pytest.raises(RefusedValue) as refused:
        adapter_for(configuration(erp={"erp": endpoint}).erp, {"ERP_EMPTY": "", "ERP_SET": "x"})
    assert refused.value.refusal.code == code


def test_a_simulator_without_an_address_says_which_command_gives_one() -> None:
    with pytest.raises(RefusedValue) as refused:
        adapter_for(configuration(erp={"erp": {"adapter": "sim"}}).erp, {})
    assert "start `lineledger erp-sim` and state its address" in refused.value.refusal.detail


def test_names_in_the_environment() -> None:
    assert resolved("http://${HOST}:${PORT}/x", {"HOST": "h", "PORT": "8"}) == "http://h:8/x"
    assert secret_of("erp-brn1.test", {"ERP_BRN1_TEST": "t"}) == "t"
    assert secret_of("", {}) == ""


def test_a_document_has_the_erps_spelling_and_the_gates_stock_type() -> None:
    identifiers = {
        "order": {"pad": 8},
        "material": {"pad": 6},
        "scrap_reason": {"burn": "0002", "other": "0099"},
        "unit": {"PC": "u"},
    }
    config = configuration(erp={"erp": {"adapter": "sim"}, "identifiers": identifiers})
    moved = Movement("receipt", "4711", 5, 0, "PC", lot="L1", location="FG", derived=True)
    row = PostingRow(
        posting("P1", order="123", reason="odd", movements=[moved], amount=-5), "dispatched", 1, stock_type="blocked"
    )
    document = document_for([row], config)
    (line,) = document.lines
    assert document.stock_type == "blocked"
    assert (line.order, line.material, line.reason, line.unit, line.amount) == ("00000123", "004711", "0099", "u", -5)
    assert line.movements == [Movement("receipt", "004711", 5, 0, "u", lot="L1", location="FG", derived=True)]
    assert (line.document_date, line.posting_date) == ("2026-11-20", "2026-11-20")
    assert document_for([PostingRow(posting("P2"), "dispatched")], config).lines[0].reason == ""
    last = document_for([PostingRow(posting("P3", final=True), "dispatched")], config).lines[0]
    assert (line.final, last.final) == (False, True)
