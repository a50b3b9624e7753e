"""A Tryton of our own, provisioned from the shop floor's records: what they name is there and can be posted to."""

import os
import stat
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.erp.connector import OpeningStock
from app.erp.tryton.install import TrytonUnavailable, install
from app.erp.tryton.provision import provision
from app.erp.tryton.server import TrytonServer
from schemas.records import Component, MaterialChanged, Movement, OrderChanged, OrderItem, OrderReleased, Quantity
from tests.integration.erp.conftest import HOME
from tests.integration.erp.contract import accepted, line, machine_time, net


def released(order: str, *items: OrderItem, components: list[Component] | None = None) -> OrderReleased:
    return OrderReleased("e", "B", 0, 0, "erp", "test", 0, order, list(items), [], components=components or [])


@pytest.mark.tryton
async def test_what_the_records_name_can_be_posted(tryton: TrytonServer) -> None:
    """Own units (BOX, ms, fractions of a piece), co-products, by-products, materials that only an order names, named
    locations, component stock with and without lots, an order changed after its release."""
    box = OrderItem("1", "LEFT", Quantity(100, 0, "BOX"), "co", "FG01", True)
    main = OrderItem("2", "RIGHT", Quantity(2500, 1, "PC"), "main", "FG02")
    dust = OrderItem("3", "DUST", Quantity(1, 6, "kg"), "by")
    resin = Component("1", "0010", "PELLETS", Quantity(319, 4, "kg"), "metered", issue_location="SILO")
    granulate = Component("2", "0010", "MASTER", Quantity(1, 3, "kg"), "declared", batch_managed=True)
    phantom = Component("3", "0010", "SET", Quantity(1, 0, "PC"), "declared", phantom=True)
    first = released("4711", box, main, dust, components=[resin, granulate, phantom])
    changed = OrderChanged.from_avro(replace(first, change_number="2").to_avro())
    materials = [
        MaterialChanged("e", "B", 0, 0, "erp", "test", 0, "LEFT", "BOX", 2, True, conversions=["1 BOX = 48 PC"]),
        MaterialChanged("e", "B", 0, 0, "erp", "test", 0, "RIGHT", "PC", 1, False),
    ]
    keys = [
        ("receipt", "LEFT", "L1", "FG01", "12.25", "BOX"),
        ("receipt", "RIGHT", "", "FG02", "2.5", "PC"),
        ("receipt", "DUST", "", "", "0.000001", "kg"),
        ("issue", "PELLETS", "", "SILO", "39.8734", "kg"),
        ("issue", "MASTER", "M-12", "", "0.797", "kg"),
    ]
    async with TrytonServer(install(HOME)) as server:
        await provision(server, [first, changed], materials, [OpeningStock("MASTER", "M-12", "", Decimal("5.000"))])
        adapter = server.adapter()
        lines = [
            line("4711", number, "any", quantity, unit, Movement(kind, material, 0, 0, "", lot, location))
            for number, (kind, material, lot, location, quantity, unit) in enumerate(keys)
        ]
        times = replace(machine_time("4711", 90, "1500"), unit="ms")
        await accepted(adapter, *lines, machine_time("4711", 91, "0.25"), times)
        booked = await adapter.movements(["4711"])
        await adapter.close()
    assert net(booked) == {(kind, material, lot): Decimal(quantity) for kind, material, lot, _, quantity, _ in keys}
    assert {m.material: m.unit for m in booked} == {material: unit for _, material, _, _, _, unit in keys}


@pytest.mark.tryton
async def test_a_server_leaves_nothing_behind(tryton: TrytonServer) -> None:
    installation = install(HOME)
    assert stat.S_IMODE(os.stat(installation.template_secret).st_mode) == 0o600
    async with TrytonServer(installation) as server:
        pid, directory = server.pid, server.directory
        assert server.url.startswith("http://127.0.0.1:")
    assert not directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_without_the_module_sources_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrytonUnavailable, match=r"TRYTON_UNAVAILABLE: install: .*requirements\.lock"):
        install(tmp_path / "home", source=tmp_path / "nothing")


def test_a_failing_step_is_named_with_its_output(tmp_path: Path) -> None:
    source = tmp_path / "tryton"
    source.mkdir()
    (source / "requirements.lock").write_text("this is no requirement\n")
    with pytest.raises(TrytonUnavailable, match="install packages: exit status 1"):
        install(tmp_path / "home", source=source)
