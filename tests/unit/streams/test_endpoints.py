"""Several ERPs in one installation (docs/adr/0115-several-erps.md): which partition of delivery a posting goes to."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.configuration import InstallationConfig
from schemas.records import ConfigActivated, EndpointOrdered, Posting, Tick
from schemas.topics import DELIVERY_INBOX
from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.tables.floor_bench import at, configuration

ENDPOINTS = {"erp": 0, "tryton": 1}
T1 = at("07:00")


def stated(**content: Any) -> Mapping[str, int]:
    return InstallationConfig.model_validate(content).catalog().endpoints


def test_without_a_document_there_is_one() -> None:
    assert InstallationConfig().catalog().endpoints == {"erp": 0}


def test_the_document_names_them() -> None:
    assert stated(endpoints=ENDPOINTS) == ENDPOINTS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"endpoints": {"erp": 0, "tryton": 0}}, "partition 0"),
        ({"endpoints": {"erp": 4}}, "partitions.delivery"),
        ({"endpoints": {"erp": 1}, "topics": {"partitions": {"delivery": 1}}}, "partitions.delivery"),
        ({"endpoints": {}}, "at least one"),
    ],
)
def test_each_has_a_partition_of_its_own(content: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        stated(**content)


def sent(endpoint: str) -> list[tuple[int, Any]]:
    """(partition, record) that orders sends to delivery, of a plant that names this endpoint."""
    bench = Ledger(configuration(erp={"erp": {"endpoint": endpoint}}))
    bench.topology.endpoints = ENDPOINTS
    bench.fold(released(T1), total("gross", 100, (1, 1), T1))
    bench.fold(*(Tick("P", CUT, name, False) for name in bench.topology.upstreams("orders", bench.configurations[0])))
    return [(each.partition, each.record) for each in bench.step.sent if each.topic == DELIVERY_INBOX]


@pytest.mark.parametrize(("endpoint", "partition"), [("erp", 0), ("tryton", 1), ("nobodys", 0)])
def test_a_posting_goes_to_the_endpoint_of_its_plant(endpoint: str, partition: int) -> None:
    """One that nobody has: to the first, where it waits (ENDPOINT_UNKNOWN)."""
    found = {(each, record.endpoint) for each, record in sent(endpoint) if isinstance(record, Posting)}
    assert found == {(partition, endpoint)}


def ordered(endpoint: str, endpoints: Mapping[str, int]) -> Ledger:
    """Orders, told to pause an ERP."""
    bench = Ledger(configuration(erp={"erp": {"endpoint": "tryton"}}))
    bench.topology.endpoints = endpoints
    bench.fold(EndpointOrdered("e", "P", T1, T1, "operators", "f", 1, mode="pause", who="w", why="y", endpoint=endpoint))
    return bench


@pytest.mark.parametrize(
    ("named", "endpoints", "told"),
    [
        ("tryton", ENDPOINTS, [(1, "tryton")]),
        ("erp", ENDPOINTS, [(0, "erp")]),
        ("", {"tryton": 3}, [(3, "tryton")]),
    ],
)
def test_an_order_of_a_person_reaches_the_endpoint_that_it_names(
    named: str, endpoints: dict[str, int], told: list[tuple[int, str]]
) -> None:
    """And no other; without a name the only one."""
    sent = ordered(named, endpoints).step.sent
    assert [(each.partition, each.record.endpoint) for each in sent if isinstance(each.record, EndpointOrdered)] == told


@pytest.mark.parametrize("named", ["", "nobodys"])
def test_an_order_for_no_endpoint_is_refused(named: str) -> None:
    """Else somebody believes that an ERP is left alone."""
    bench = ordered(named, ENDPOINTS)
    assert not any(isinstance(each.record, EndpointOrdered) for each in bench.step.sent)
    (letter,) = bench.step.take("exceptions")
    assert (letter.code, "erp, tryton" in letter.detail) == ("ENDPOINT_UNKNOWN", True)


@pytest.mark.parametrize("kind", [Tick, ConfigActivated])
def test_what_is_for_everybody_goes_to_all(kind: type) -> None:
    assert {partition for partition, record in sent("tryton") if isinstance(record, kind)} == set(ENDPOINTS.values())
