"""What goes to an ERP is counted where it leaves, of every adapter; a leak of telemetry is found in it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from app.erp.adapters import adapter_for
from app.erp.documents import document_for
from app.erp.sim.adapter import SimAdapter
from app.erp.telemetry_check import SeenTelemetry, look
from app.erp.traffic import JOURNAL, Request, Traffic, TrafficJournal, figures, journalled
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.rpc import TrytonRpc
from app.observability.secrets import Secrets
from schemas.records import PostingRow
from tests.integration.erp.hostile_erp import HostileErp
from tests.unit.streams.quality_bench import configuration, posting

PASSWORD = "password-of-the-erp"


def document(*names: str) -> Any:
    rows = [PostingRow(posting(name), "dispatched", 1, stock_type="unrestricted") for name in names]
    return document_for(rows, configuration())


def endpoint(adapter: str, port: int) -> dict[str, Any]:
    url = f"http://anna@127.0.0.1:{port}/plant" if adapter == "tryton" else f"http://127.0.0.1:{port}"
    return {"adapter": adapter, "url": url, "secret": "erp", "timeout": "5 s"}


@pytest.mark.parametrize("adapter", ["sim", "tryton"])
async def test_every_request_of_every_adapter_is_in_the_journal_before_it_leaves(adapter: str, tmp_path: Path) -> None:
    async with HostileErp("reset", at_login=False).listening() as erp:
        config = configuration(erp={"erp": endpoint(adapter, erp.port)})
        for _ in range(2):  # two processes after each other write one journal
            made = adapter_for(config.erp, {"ERP": PASSWORD}, TrafficJournal(tmp_path / JOURNAL))
            assert made is not None
            await made.post(document("P1", "P2"))
            await made.post(document("P3"))
            await made.find("P1", "h")
            await made.close()
    requests = list(journalled(tmp_path / JOURNAL))
    found = figures(requests)
    assert found["requests"] == erp.calls
    assert (found["attempts"], found["retries"], found["read_backs"]) == (4, 2, 2)
    assert found["logins"] == (4 if adapter == "tryton" else 0)
    assert found["other"] == 0
    assert next(request.postings for request in requests if request.call == "post") == ["P1", "P2"]
    written = (tmp_path / JOURNAL).read_text(encoding="utf-8")
    assert '"P1"' in written.replace("\\", "")
    assert PASSWORD not in written


@pytest.mark.parametrize("token", ["", "two\nlines", "nul\0"])
async def test_a_token_that_no_header_takes_leaves_nothing_unknown(token: str) -> None:
    async with HostileErp("reset", at_login=False).listening() as erp:
        adapter = SimAdapter(f"http://127.0.0.1:{erp.port}", token)
        answer = await adapter.post(document("P1"))
        found = await adapter.find("P1", "h")
        await adapter.close()
    assert (answer.result, answer.code, erp.calls) == ("retry", "REQUEST_NOT_SENT", 0)
    assert (found.result, found.retry_after_ms > 0) == ("unknown", True), "a read-back that did not leave proves nothing"
    assert not token or token not in answer.detail


async def test_a_request_that_nobody_marked_is_counted_too() -> None:
    told: list[Request] = []

    class Sink:
        tell = staticmethod(told.append)

    async with HostileErp("forbidden", at_login=True).listening() as erp:
        adapter = SimAdapter(f"http://127.0.0.1:{erp.port}", PASSWORD, traffic=Traffic(Secrets([PASSWORD]), Sink()))  # type: ignore[arg-type]
        await adapter._client.get("/anything", params={"q": "temperature_of_zone_4"})
        await adapter.close()
    (request,) = told
    assert request.call == "other"
    assert "temperature_of_zone_4" in request.text


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    TrafficJournal(path).tell(Request("post", ("P1",), False, "POST /"))
    with path.open("a", encoding="utf-8") as file:
        file.write('["post", ["P2"')
    assert list(journalled(path)) == [Request("post", ["P1"], False, "POST /")]
    assert list(journalled(tmp_path / "none")) == []


SEEN = SeenTelemetry()
for name, value in (("mould_wear_zx81", "123456789012"), ("temperature", "231.5"), ("quantity", "1"), ("zone 4 heat", "on")):
    SEEN.note(name, value)


def test_what_the_ledger_says_itself_is_no_canary() -> None:
    assert SEEN.canaries("order temperature-sensor-7") == ["mould_wear_zx81", "zone 4 heat", "123456789012"]


LEAKS = {
    "name": "note mould_wear_zx81 is here",
    "part of a word": "x_mould_wear_zx81_y",
    "letter case": "MOULD_WEAR_ZX81",
    "with a blank": "Zone 4 Heat",
    "value": "at 123456789012 units",
    "scaled": "123456.789012",
    "grouped": "123,456,789,012",
    "base64": base64.b64encode(b"mould_wear_zx81=7").decode(),
    "json": json.dumps({"a": "mould\u005fwear_zx81"}).replace("_", "\\u005f"),
    "url": "/documents?x=mould%5Fwear%5Fzx81",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_found_in_each_form(leak: str) -> None:
    clean = Request("post", ("P1",), False, '{"order": "O1", "quantity": "5"}')
    found = look([clean, Request("post", ("P2",), False, LEAKS[leak]), clean], SEEN.canaries(""))
    assert (found.requests, {one.request for one in found.leaks}) == (3, {1}), leak


async def planted(adapter: str, port: int, traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapter as it would be if somebody added a process value to what it sends."""
    if adapter == "sim":
        made: Any = SimAdapter(f"http://127.0.0.1:{port}", PASSWORD, traffic=traffic)
        real = made._repeatability
        monkeypatch.setattr(made, "_repeatability", lambda one: {**real(one), "X-Note": "mould_wear_zx81"})
    else:
        rpc = TrytonRpc(f"http://127.0.0.1:{port}", "plant", "anna", PASSWORD, traffic=traffic)
        made = TrytonAdapter(rpc)
        line = made._line
        monkeypatch.setattr(made, "_line", lambda one: {**line(one), "note": "mould_wear_zx81"})
    await made.post(document("P1"))
    await made.close()


@pytest.mark.parametrize("adapter", ["sim", "tryton"])
async def test_a_leak_that_is_planted_in_an_adapter_changes_the_finding(
    adapter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with HostileErp("server error", at_login=False).listening() as erp:
        clean = adapter_for(
            configuration(erp={"erp": endpoint(adapter, erp.port)}).erp, {"ERP": PASSWORD}, TrafficJournal(tmp_path / JOURNAL)
        )
        assert clean is not None
        await clean.post(document("P1"))
        await clean.close()
        before = list(journalled(tmp_path / JOURNAL))
        assert look(before, SEEN.canaries("")).leaks == []
        await planted(adapter, erp.port, Traffic(Secrets([PASSWORD]), TrafficJournal(tmp_path / JOURNAL)), monkeypatch)
    found = look(journalled(tmp_path / JOURNAL), SEEN.canaries(""))
    assert found.requests > len(before)
    assert {leak.canary for leak in found.leaks} == {"mould_wear_zx81"}
