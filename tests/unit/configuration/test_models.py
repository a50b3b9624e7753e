"""The models: what each text means, which rule wins, and what the hash covers."""

import copy
import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from schemas.configuration import (
    AtOnce,
    ConfigMismatch,
    Configuration,
    Cut,
    ErpConfig,
    EveryQuantity,
    Interval,
    PlantConfig,
    PostRule,
    RulesConfig,
    canonical_json,
)
from schemas.configuration.values import duration_us

DATA = Path(__file__).parents[2] / "data"
MINIMAL = {"plant": {"id": "P1"}, "sources": {"s": {"read": {}, "events": [{"ignore": "true"}]}}}


class TextLoader(yaml.SafeLoader):
    """Scalars as text, like the real loader."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  the base class declares it so


def texts(name: str, folder: str = "presses") -> dict[str, Any]:
    return yaml.load((DATA / folder / name).read_text(encoding="utf-8"), TextLoader)


def presses() -> Configuration:
    return Configuration.from_mappings(*(texts(f"{name}.yaml") for name in ("plant", "rules", "erp")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15 min", 900_000_000),
        ("4 h", 14_400_000_000),
        ("7 d", 604_800_000_000),
        ("1 s", 1_000_000),
        ("250ms", 250_000),
        ("0", 0),
        (60_000_000, 60_000_000),
    ],
)
def test_durations_are_microseconds(text: Any, expected: int) -> None:
    assert duration_us(text) == expected


@pytest.mark.parametrize("text", ["15", "min", "1.5 h", "-1 s", "15 minutes", "", True, -1])
def test_other_durations_are_refused(text: Any) -> None:
    with pytest.raises(ValueError):
        duration_us(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shift_end", Cut(tag="shift_end")),
        ("operation_completed", Cut(tag="operation_completed")),
        ("every 30 min", Interval(interval_us=1_800_000_000)),
        ("every 10 BOX", EveryQuantity(amount="10", unit="BOX")),
        ("above 200 PC at once", AtOnce(amount="200", unit="PC")),
        ("every  0.50 kg", EveryQuantity(amount="0.5", unit="kg")),
    ],
)
def test_triggers(text: str, expected: object) -> None:
    rule = PostRule.model_validate({"kind": "yield", "when": text})
    assert rule.when == [expected]
    assert PostRule.model_validate_json(canonical_json(rule)) == rule
    assert str(rule.when[0]) == " ".join(text.split()).replace("0.50", "0.5")


@pytest.mark.parametrize("text", ["every day", "sometimes", "every 0 min", "above 5 PC", "every -1 BOX"])
def test_other_triggers_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        PostRule.model_validate({"kind": "yield", "when": text})


RULES = RulesConfig.model_validate(
    {
        "post": [
            {"kind": "yield", "when": "shift_end", "line": 3},
            {"kind": "yield", "when": "order_completed", "operation": "0020", "line": 4},
            {"kind": "yield", "when": "every 1 h", "material": "4711", "line": 5},
            {"kind": "yield", "when": "every 2 h", "material": "4711", "operation": "0020", "line": 6},
            {"kind": "yield", "when": "every 3 h", "order": "A", "line": 7},
            {"kind": "scrap", "when": "shift_end", "order_type": "PP02", "line": 8},
            {"kind": "yield", "when": "every 4 h", "line": 9},
        ]
    }
)


@pytest.mark.parametrize(
    ("kind", "order", "operation", "material", "order_type", "line"),
    [
        ("yield", "X", "0010", "1", "", 3),
        ("yield", "X", "0020", "1", "", 4),
        ("yield", "X", "0010", "4711", "", 5),
        ("yield", "X", "0020", "4711", "", 6),
        ("yield", "A", "0020", "4711", "", 7),
        ("scrap", "X", "0020", "4711", "PP02", 8),
        ("scrap", "X", "0020", "4711", "PP01", None),
        ("rework", "X", "0020", "4711", "", None),
    ],
)
def test_the_most_specific_rule_wins(
    kind: str, order: str, operation: str, material: str, order_type: str, line: int | None
) -> None:
    found = RULES.rule_for(kind, order, operation, material, order_type)
    assert (found.line if found else None) == line
    assert found is None or found.rule.line == found.line


def test_a_material_weighs_more_than_an_operation() -> None:
    by_operation = {"kind": "yield", "when": "shift_end", "operation": "0020", "line": 1}
    by_material = {"kind": "yield", "when": "shift_end", "material": "4711", "line": 2}
    found = RulesConfig.model_validate({"post": [by_operation, by_material]}).rule_for("yield", "X", "0020", "4711")
    assert found is not None
    assert found.line == 2


def test_an_empty_rules_file_posts_every_kind_at_shift_end_and_completion() -> None:
    for kind in ("yield", "scrap", "rework", "consumption", "machine_time", "setup_time", "labour_time"):
        found = RulesConfig().rule_for(kind, "", "", "")
        assert found is not None
        assert found.rule.when == [Cut(tag="shift_end"), Cut(tag="order_completed")]


def test_a_component_has_one_mode() -> None:
    two = {"consumption": [{"component": "resin", "by": "meter"}, {"component": "resin", "by": "erp_backflush"}]}
    with pytest.raises(ValidationError, match="two modes, metered and erp_backflush"):
        RulesConfig.model_validate(two)


def test_the_mode_of_a_component_is_found_by_material_then_position_then_for_all() -> None:
    rules = RulesConfig.model_validate(
        {
            "consumption": [
                {"component": "*", "by": "erp_backflush"},
                {"component": "hopper", "by": "meter"},
                {"component": "9001", "by": "declared"},
                {"component": "9001", "by": "ledger_backflush", "operation": "0030"},
            ]
        }
    )
    cases = {("9001", "hopper", "0010"): "declared", ("9001", "", "0030"): "ledger_backflush"}
    cases |= {("9002", "hopper", "0010"): "metered", ("9002", "", "0010"): "erp_backflush"}
    for (component, position, operation), mode in cases.items():
        found = rules.mode_for(component, position, operation)
        assert found is not None
        assert found.mode == mode


def test_hold_answers_by_kind() -> None:
    on_hold = presses().rules.on_hold
    answers = {kind: on_hold.answer(kind) for kind in ("yield", "consumption", "machine_time", "scrap")}
    expected = {"yield": "into_blocked_stock", "consumption": "post", "machine_time": "post", "scrap": "post"}
    assert answers == expected


def test_what_an_older_version_stored_of_times_on_hold_is_read() -> None:
    """It never had an effect: a file that asks for one is refused, a stored configuration is not."""
    assert RulesConfig.model_validate_json('{"on_hold": {"times": "wait"}}') == RulesConfig()
    for given in ({"times": "wait"}, {"times": "nonsense"}):
        with pytest.raises(ValidationError, match="there is only post"):
            RulesConfig.model_validate({"on_hold": given})
    with pytest.raises(ValidationError, match="there is only post"):
        RulesConfig.model_validate_json('{"on_hold": {"times": "nonsense"}}')


def test_the_small_plant_says_little() -> None:
    plant = PlantConfig.model_validate(MINIMAL)
    assert (plant.plant.zone, plant.plant.quantity_from) == ("UTC", "counters")
    assert (plant.clock.step_us, plant.clock.future_us) == (60_000_000, 300_000_000)
    assert (plant.attribution.run_grace_us, plant.attribution.late_horizon_us) == (0, 604_800_000_000)


def test_the_star_gives_defaults_to_all_equipment() -> None:
    plant = PlantConfig.model_validate(
        {
            **MINIMAL,
            "equipment": {
                "*": {"receipt_location": "FG01", "counters": {"shots": {"modulus": "100"}, "energy": {}}},
                "M1": {"counters": {"shots": {"decimals": "2"}}},
            },
        }
    )
    own, other = plant.equipment_for("M1"), plant.equipment_for("M9")
    assert own is not None
    assert other is not None
    assert (own.receipt_location, own.counters["shots"].decimals, own.counters["shots"].modulus) == ("FG01", 2, None)
    assert set(own.counters) == {"shots", "energy"}
    assert other.counters["shots"].modulus == 100
    assert plant.counter_for("M9", "unknown") is None
    assert PlantConfig.model_validate(MINIMAL).equipment_for("M1") is None


def test_a_document_gives_the_same_configuration_again() -> None:
    configuration = presses()
    assert Configuration.from_document(configuration.document()) == configuration
    assert configuration.erp.erp.calls_per_second == Fraction(10)
    assert json.loads(configuration.document().erp_yaml)["erp"]["calls_per_second"] == "10"


def test_a_document_with_other_content_than_its_hash_is_refused() -> None:
    document = presses().document()
    document.rules_yaml = document.rules_yaml.replace('"net"', '"reversal"')
    with pytest.raises(ConfigMismatch, match="CONFIG_MISMATCH"):
        Configuration.from_document(document)


def reversed_keys(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: reversed_keys(tree[key]) for key in reversed(tree)}
    return [reversed_keys(item) for item in tree] if isinstance(tree, list) else tree


def test_what_an_older_version_stored_is_read_under_its_own_hash() -> None:
    """A setting that came later is not in the text; it holds by its default, and the log's name for the document stays."""
    document = presses().document()
    older = json.loads(document.plant_yaml)
    del older["attribution"]["run_grace"], older["lots"]["missing"]
    document.plant_yaml = json.dumps(older, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    texts = [json.loads(text) for text in (document.plant_yaml, document.rules_yaml, document.erp_yaml)]
    for rule in [*texts[1]["post"], *(event for source in texts[0]["sources"].values() for event in source["events"])]:
        del rule["line"]
    canonical = [json.dumps(text, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for text in texts]
    document.hash = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    found = Configuration.from_document(document)
    assert (found.plant, found.hash) == (presses().plant, document.hash)
    assert found.hash != presses().hash
    assert Configuration.from_document(found.document()) == found, "and it is stored again as it was"


def test_the_hash_depends_on_content_only() -> None:
    plant, rules, erp = (texts(f"{name}.yaml") for name in ("plant", "rules", "erp"))
    first = Configuration.from_mappings(plant, rules, erp)
    moved = copy.deepcopy(rules)
    moved["post"][0]["line"] = 99
    same = Configuration.from_mappings(
        reversed_keys(plant), reversed_keys(moved), erp | {"identifiers": {**erp["identifiers"], "unit": {}}}
    )
    assert (same.hash, same.rule_version) == (first.hash, first.rule_version)
    moved["post"][0]["at_least"] = "2 BOX"
    other = Configuration.from_mappings(plant, moved, erp)
    assert other.hash != first.hash
    assert other.rule_version != first.rule_version
    elsewhere = Configuration.from_mappings({**plant, "shadow": "true"}, rules, erp)
    assert elsewhere.hash != first.hash
    assert elsewhere.rule_version == first.rule_version
    assert len(first.rule_version) == 12


def test_a_secret_that_is_no_name_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValidationError) as wrong:
        ErpConfig.model_validate({"erp": {"secret": "hunter2 is my password"}})
    assert all("hunter2" not in error["msg"] for error in wrong.value.errors())


def test_json_schemas_are_generated() -> None:
    for model in (PlantConfig, RulesConfig, ErpConfig):
        schema = model.model_json_schema()
        assert schema["additionalProperties"] is False
        json.dumps(schema)
    rule = PlantConfig.model_json_schema()["$defs"]["EventRule"]
    assert rule["additionalProperties"] == {"$ref": "#/$defs/Expression"} or "oneOf" in rule["additionalProperties"]
    assert set(rule["properties"]) == {"when", "unless", "emit", "ignore", "also"}


@pytest.mark.parametrize(("text", "limit"), [("10", "10"), ("10%", "10"), ("2.5 %", "2.5"), ("unlimited", "unlimited")])
def test_over_delivery_in_percent(text: str, limit: str) -> None:
    assert RulesConfig.model_validate({"order": {"over_delivery": text}}).order.over_delivery == limit


def test_over_delivery_in_words_says_how_to_write_it() -> None:
    with pytest.raises(ValidationError, match="a percentage like 10"):
        RulesConfig.model_validate({"order": {"over_delivery": "ten percent"}})


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("plant", ("plant", "erp_plant")),
        ("rules", ("post", 0, "not_in_states")),
        ("erp", ("book", "consumption", "types")),
        ("erp", ("book", "machine_time", "activity")),
        ("erp", ("stock_status",)),
        ("erp", ("payload",)),
    ],
)
def test_settings_that_nothing_reads_are_gone_and_refused(file: str, path: tuple[str | int, ...]) -> None:
    """They had no reader: a file with one is refused, instead of waiting for an effect."""
    content: dict[str, Any] = {
        "plant": {**MINIMAL, "plant": {**MINIMAL["plant"]}},
        "rules": {"post": [{"kind": "machine_time", "when": "shift_end"}]},
        "erp": {"book": {"consumption": {}, "machine_time": {}}},
    }[file]
    model = {"plant": PlantConfig, "rules": RulesConfig, "erp": ErpConfig}[file]
    model.model_validate(content)
    at: Any = content
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = "x"
    with pytest.raises(ValidationError, match=str(path[-1])):
        model.model_validate(content)


@pytest.mark.parametrize(
    ("kind", "setting", "value", "fits"),
    [
        ("yield", "operations", "last", True),
        ("machine_time", "operations", "milestones", False),
        ("yield", "receipt", "none", True),
        ("scrap", "receipt", "none", False),
        ("consumption", "reservation", "required", True),
        ("yield", "reservation", "none", False),
        ("labour_time", "unit", "h", True),
        ("yield", "decimals", 2, False),
    ],
)
def test_a_setting_of_other_kinds_is_refused(kind: str, setting: str, value: Any, fits: bool) -> None:
    content = {"book": {kind: {setting: value}}}
    if fits:
        assert getattr(ErpConfig.model_validate(content).book[kind], setting) == value  # type: ignore[index]
        return
    with pytest.raises(ValidationError, match=f"book.{kind}.{setting}` says nothing"):
        ErpConfig.model_validate(content)


def test_defaults_that_are_written_out_say_nothing_new() -> None:
    """As configurations are stored in the log."""
    written = ErpConfig.model_validate({"book": {"scrap": {}}}).model_dump(mode="json", by_alias=True)
    assert ErpConfig.model_validate(written).book["scrap"].receipt == "explicit"
