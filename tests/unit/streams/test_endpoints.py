"""Several ERPs in one installation (docs/adr/0115-several-erps.md): which partition of delivery a posting goes to."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.configuration import InstallationConfig
from schemas.records import ConfigActivated, Posting, Tick
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


@pytest.mark.parametrize("kind", [Tick, ConfigActivated])
def test_what_is_for_everybody_goes_to_all(kind: type) -> None:
    assert {partition for partition, record in sent("tryton") if isinstance(record, kind)} == set(ENDPOINTS.values())
