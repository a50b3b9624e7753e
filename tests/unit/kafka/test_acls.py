"""What `acls apply` may take away on a broker that others share: rights to what is this installation's own, nothing else."""

from collections.abc import Iterable

import pytest
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from app.kafka.acls import changes
from app.kafka.rights import Identified, PlantRights, Right, marks, once_given, own_resources, wanted_rights
from schemas.catalog import catalog

WHO = Identified({stage: f"lineledger-{stage}" for stage in ("equipment", "lots", "orders", "delivery")}, "asks", "decides")
"""The same in every installation, as by default."""
PLANT = PlantRights("in-one", "gateway", frozenset({"raw.one"}), frozenset({"raw.one.people"}), frozenset({"raw.one.erp-master"}))
PREFIXES = ("", "test.", "prod.", "prod.eu.")


def binding(right: Right) -> AclBinding:
    return bound(right.identity, right.kind, right.name, right.operation, prefixed=right.prefixed)


def bound(identity: str, kind: str, name: str, operation: str, *, prefixed: bool = False) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL
    allowed = (AclOperation[operation.upper()], AclPermissionType.ALLOW)
    return AclBinding(ResourceType[kind.upper()], name, pattern, f"User:{identity}", "*", *allowed)


def rights_of(prefix: str, who: Identified = WHO, plants: Iterable[PlantRights] = (PLANT,)) -> list[Right]:
    return wanted_rights(catalog(), prefix, who, plants)


def removed(prefix: str, found: Iterable[AclBinding], who: Identified = WHO) -> list[str]:
    """What `apply` of the installation with this prefix would take away of `found`."""
    own = own_resources(catalog(), prefix, who, [PLANT])
    return [change.right for change in changes(rights_of(prefix, who), own, found) if change.action == "remove"]


@pytest.mark.parametrize("mine", PREFIXES)
@pytest.mark.parametrize("other", PREFIXES)
def test_rights_of_another_installation_stay(mine: str, other: str) -> None:
    """Also where its prefix begins with mine, or mine is empty."""
    both = [binding(right) for right in [*rights_of(mine), *rights_of(other)]]
    assert removed(mine, both) == []


@pytest.mark.parametrize("mine", PREFIXES)
@pytest.mark.parametrize("other", PREFIXES)
def test_rights_that_the_other_installation_has_too_much_are_its_own_affair(mine: str, other: str) -> None:
    nobody_asks = Identified(WHO.stages, "", "asks")
    found = removed(mine, [binding(right) for right in rights_of(other)], nobody_asks)
    assert bool(found) == (mine == other)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "foreign",
    [
        bound("gateway", "topic", "mes.raw", "write"),
        bound("gateway", "topic", "raw.two", "write"),
        bound("gateway", "topic", "*", "describe"),
        bound("gateway", "topic", "raw.", "write", prefixed=True),
        bound("gateway", "topic", "test.", "write", prefixed=True),
        bound("gateway", "group", "historian", "read"),
        bound("gateway", "transactional_id", "gateway-", "write", prefixed=True),
        bound("gateway", "broker", "kafka-cluster", "idempotent_write"),
        bound("lineledger-orders", "broker", "kafka-cluster", "describe"),
        bound("asks", "group", "lineledger-simulation-", "read", prefixed=True),
    ],
    ids=lambda found: f"{found.restype.name}-{found.name}",
)
def test_what_is_no_installations_stays(prefix: str, foreign: AclBinding) -> None:
    """Nor is the cluster one. A group that every installation has is no one's own."""
    assert removed(prefix, [foreign], Identified(WHO.stages, "", "decides")) == []


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("identity", "kind", "name", "operation", "prefixed"),
    [
        ("gateway", "topic", "raw.one.people", "write", False),
        ("gateway", "topic", "raw.one", "read", False),
        ("gateway", "topic", "config", "all", False),
        ("in-one", "topic", "intake.raw.one.changelog", "alter", False),
        ("lineledger-orders", "topic", "delivery.changelog", "write", False),
        ("lineledger-orders", "group", "delivery", "read", False),
        ("lineledger-delivery", "group", "raw.one.master", "read", False),
    ],
)
def test_what_is_too_much_on_its_own_names_goes(
    prefix: str, identity: str, kind: str, name: str, operation: str, prefixed: bool
) -> None:
    found = [bound(identity, kind, prefix + name, operation, prefixed=prefixed), *map(binding, rights_of(prefix))]
    assert removed(prefix, found) == [f"{identity}: {operation} {kind} {prefix}{name}{'*' if prefixed else ''}"]


def test_patterns_of_a_stage_go_too() -> None:
    name = "prod.delivery.delivery.prod.delivery.inbox."
    found = [bound("lineledger-orders", kind, name, "write", prefixed=True) for kind in ("transactional_id", "group")]
    assert removed("prod.", found) == [
        f"lineledger-orders: write group {name}*",
        f"lineledger-orders: write transactional_id {name}*",
    ]


LEFT = PlantRights("in-two", "gateway-two", frozenset({"raw.two"}), frozenset({"raw.two.people"}), frozenset())


def applied(prefix: str, who: Identified, plants: list[PlantRights], there: set[AclBinding]) -> tuple[set[AclBinding], list[str]]:
    """What a broker has after `apply`, and what was removed; `there`: before."""
    wanted = wanted_rights(catalog(), prefix, who, plants)
    groups = [(one.principal.removeprefix("User:"), one.name) for one in there if one.restype == ResourceType.GROUP]
    left, raw = once_given(prefix, groups)
    own = own_resources(catalog(), prefix, who, [*plants, PlantRights("-", "-", frozenset(raw), frozenset(), frozenset())])
    known = {f"User:{identity}" for identity in {*left, *(right.identity for right in wanted)}}
    found = changes([*wanted, *marks(prefix, wanted, plants)], own, [one for one in there if one.principal in known])
    added = {change.binding for change in found if change.action == "add"}
    removed = [change for change in found if change.action == "remove"]
    return (there | added) - {change.binding for change in removed}, [change.right for change in removed]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_who_leaves_the_document_loses_what_it_gave(prefix: str) -> None:
    """An identity, and a plant with its raw topics. Nobody else's: other installations use the same names, and somebody may have
    been given a right by hand."""
    others = {binding(right) for other in PREFIXES if other != prefix for right in with_marks(other, WHO, [PLANT, LEFT])}
    by_hand = {bound("historian", "topic", f"{prefix}raw.two", "read"), bound("gateway-two", "topic", "mes.raw", "write")}
    there, _ = applied(prefix, WHO, [PLANT, LEFT], others | by_hand)
    again, removed = applied(prefix, WHO, [PLANT, LEFT], there)
    assert (again, removed) == (there, []), "the second time there is nothing to do"
    elsewhere = Identified({**WHO.stages, "lots": "line-lots"}, "", "decides")
    there, removed = applied(prefix, elsewhere, [PLANT], there)
    assert {one.partition(":")[0] for one in removed} >= {"lineledger-lots", "asks", "in-two", "gateway-two", "decides"}
    assert f"gateway-two: write topic {prefix}raw.two" in removed and f"decides: write topic {prefix}raw.two.people" in removed
    assert others | by_hand <= there
    mine = {binding(right) for right in with_marks(prefix, elsewhere, [PLANT])}
    assert there - others - by_hand - mine <= {bound("asks", "group", "lineledger-simulation-", "read", prefixed=True)}
    assert applied(prefix, elsewhere, [PLANT], there)[1] == []


def with_marks(prefix: str, who: Identified, plants: list[PlantRights]) -> list[Right]:
    wanted = wanted_rights(catalog(), prefix, who, plants)
    return [*wanted, *marks(prefix, wanted, plants)]
