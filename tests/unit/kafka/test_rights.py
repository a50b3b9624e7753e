"""Rights from the catalog: who owns a topic is who writes it, nobody gets more than names of this installation."""

import pytest

from app.kafka.rights import Identified, PlantRights, Right, wanted_rights
from schemas.catalog import catalog

STAGES = {stage: f"u-{stage}" for stage in ("equipment", "lots", "orders", "delivery")}
WHO = Identified(STAGES, readers="asks", operators="decides")
ONE = PlantRights("in-one", "net-one", frozenset({"raw.one"}), frozenset({"raw.one.people"}), frozenset({"raw.one.erp-master"}))
TWO = PlantRights("in-two", "", frozenset({"raw.one.presses"}), frozenset(), frozenset())
EXCEPT = {"config", "exceptions", "raw", "intake.changelog"}
"""Owned by people; `raw` and `intake.changelog` are patterns."""


@pytest.fixture(scope="module")
def rights() -> list[Right]:
    return wanted_rights(catalog(), "p.", WHO, [ONE, TWO])


def test_the_writers_are_the_owners_of_the_catalog() -> None:
    for name, topic in catalog().topics.items():
        if name not in EXCEPT and not name.endswith(".changelog"):
            writers = {stage for stage, names in catalog().writes.items() if name in names}
            assert writers == set(topic.owner.split(", ")), name


def test_each_name_begins_with_the_prefix_and_each_right_stands_once(rights: list[Right]) -> None:
    assert len(rights) == len(set(rights)) > 100
    outside = {right.name for right in rights if not right.name.startswith("p.")}
    assert outside == {"lineledger-simulation-"}
    assert {right.kind for right in rights if right.prefixed} == {"group", "transactional_id"}, "topics are named one by one"


def test_a_plants_network_writes_its_sources_and_nothing_else(rights: list[Right]) -> None:
    assert [right for right in rights if right.identity == "net-one"] == [Right("net-one", "topic", "p.raw.one", "write")]


def test_an_intake_has_nothing_of_another_plant(rights: list[Right]) -> None:
    mine = {right.name for right in rights if right.identity == "in-one"}
    theirs = {right.name for right in rights if right.identity == "in-two"}
    shared = mine & theirs
    assert not [name for name in shared if "raw." in name]
    for prefixed in (right for right in rights if right.prefixed and right.identity == "in-one"):
        assert not [name for name in theirs if name.startswith(prefixed.name)], prefixed


def test_pulled_master_data_is_written_by_delivery(rights: list[Right]) -> None:
    writers = {right.identity for right in rights if right.name == "p.raw.one.erp-master" and right.operation == "write"}
    assert writers == {"u-delivery"}


def test_who_asks_takes_nobodys_partitions(rights: list[Right]) -> None:
    groups = {right.name for right in rights if right.identity == "asks" and right.kind == "group" and right.operation == "read"}
    assert groups == {"p.collector", "p.trace", "p.config.reader", "p.books", "lineledger-simulation-"}
    assert not [right for right in rights if right.identity == "asks" and right.operation == "write"]
    writes = [right.name for right in rights if right.identity == "decides" and right.operation == "write"]
    assert writes == ["p.raw.one.people"]


def test_without_readers_nobody_asks() -> None:
    found = wanted_rights(catalog(), "p.", Identified(STAGES, "", ""), [TWO])
    assert {right.identity for right in found} == {*STAGES.values(), "in-two"}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_may_see_how_many_intakes_there_are(rights: list[Right], stage: str) -> None:
    about_raw = [right for right in rights if right.identity == STAGES[stage] and right.kind == "topic" and ".raw." in right.name]
    described = {right.name for right in about_raw if right.operation == "describe"}
    assert described == {"p.raw.one", "p.raw.one.people", "p.raw.one.erp-master", "p.raw.one.presses"}
    pulled = {"p.raw.one.erp-master"} if stage == "delivery" else set()
    assert {right.name for right in about_raw if right.operation != "describe"} == pulled
