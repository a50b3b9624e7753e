"""Every key of the four files (plant, rules, erp, installation) has a test that shows that another value of it changes something.

A new key fails here until its test is written and named; a key that goes must leave the table; a test that goes is missed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from app.inputs.input_files import InputError, inputs
from schemas.configuration import ErpConfig, InstallationConfig, PlantConfig, RulesConfig
from schemas.configuration.erp import Retry
from schemas.configuration.mapping import Function
from schemas.configuration.triggers import AtOnce, Cut, EveryQuantity, Interval, Measure
from tables.delivery.backoff import delay_us
from tests.unit.streams.ledger_bench import CUT, Ledger, component, released, total
from tests.unit.tables.floor_bench import at, configuration

ROOT = Path(__file__).parents[3]
T = at("07:00")
WORDS = (Cut, Interval, EveryQuantity, AtOnce, Measure)
"""Written as text (`every 10 BOX`): what they say is the value of `when` and `at_least`."""
NO_KEYS = {"Each.fields", "Nested.fields", "Emission.fields", "Emission.line", "PostRule.line"}
"""Not written: `fields` collects the names of a record's fields, `line` is where a rule stands in its file."""

SHOWN = {
    "tests/unit/configuration/test_every_setting.py": {
        "test_locations": "PostRule.receipt_location PostRule.issue_location Equipment.receipt_location",
        "test_over_delivery_and_its_excess": "OrderRules.over_delivery OrderRules.excess",
        "test_lots_that_are_missing_or_too_long": "Lots.missing Lots.erp_max_length",
        "test_units_of_postings": "PostRule.unit PostRule.decimals Booking.unit Booking.decimals",
        "test_the_longest_delay": "Retry.at_most",
        "test_files_of_a_source": "Source.files",
        "test_what_the_erp_owns_is_pulled": "MasterData.orders MasterData.materials",
    },
    "tests/unit/configuration/test_effects.py": {
        "test_a_connection_that_begins_with_a_snapshot": "Read.connection",
        "test_a_period_is_swept_before_its_close": "Periods.close Periods.sweep_before",
        "test_an_undecided_zero_is_told_after_a_while": "Counter.hold_undecided",
        "test_how_far_a_clock_may_be_ahead": "Clock.future",
        "test_how_late_a_record_may_be": "Attribution.late_horizon",
        "test_how_long_an_attempt_may_still_be_booked": "Endpoint.commit_horizon",
        "test_steps_of_the_clock": "Clock.step",
        "test_the_format_says_what_bytes_mean": "Read.format",
        "test_unit_and_decimals_of_a_counter": "Counter.decimals Counter.unit",
        "test_where_the_equipment_stands": "Read.equipment",
        "test_whom_a_moment_belongs_to": (
            "CalendarSection.business_date CalendarSection.days_off CalendarSection.outside_shift CalendarSection.shifts"
        ),
        "test_whose_plant_and_which_wall_clock": "Plant.id Plant.zone",
    },
    "tests/unit/configuration/test_models.py": {
        "test_the_most_specific_rule_wins": "PostRule.order PostRule.operation PostRule.material",
        "test_the_mode_of_a_component_is_found_by_material_then_position_then_for_all": (
            "Consumption.component Consumption.by Consumption.operation"
        ),
    },
    "tests/unit/tables/test_activities.py": {
        "test_the_time_of_a_run_of_several_orders_is_shared": "Attribution.shared_time",
    },
    "tests/unit/configuration/test_reference.py": {
        "test_the_examples_of_functions_are_true": " ".join(f"Function.{name}" for name in Function.model_fields),
    },
    "tests/unit/streams/test_endpoints.py": {
        "test_the_document_names_them": "InstallationConfig.endpoints",
        "test_a_posting_goes_to_the_endpoint_of_its_plant": "Endpoint.endpoint",
    },
    "tests/unit/configuration/test_installation.py": {
        "test_counts_by_stage_and_topic": (
            "Partitions.default Partitions.intake Partitions.equipment Partitions.lots Partitions.orders Partitions.delivery "
            "Partitions.topics InstallationConfig.prefix"
        ),
        "test_replication_and_copies_that_a_write_waits_for": "TopicSettings.replication TopicSettings.min_insync",
        "test_retention_by_class_of_topics": "TopicSettings.retention",
        "test_options_hold_before_the_document": "Kafka.bootstrap Kafka.client_config SchemaRegistry.url SchemaRegistry.secret",
    },
    "tests/e2e/test_acls.py": {
        "test_no_identity_writes_another_topic": (
            "Identities.equipment Identities.lots Identities.orders Identities.delivery Identities.readers Identities.operators "
            "InstalledPlant.intake InstalledPlant.network"
        ),
    },
    "tests/e2e/test_installation.py": {
        "test_all_stages_by_the_document": "InstallationConfig.plants InstalledPlant.configuration",
    },
    "tests/composition/test_wires.py": {
        "test_every_raw_topic_has_an_intake_with_a_clock": "PlantConfig.sources Read.topic",
        "test_the_budget_is_the_configurations": "Endpoint.calls_per_second Endpoint.concurrency",
        "test_maintenance_holds_the_executor_back": "Endpoint.maintenance",
        "test_master_data_of_the_erp_is_pulled": "Endpoint.pull_every",
    },
    "tests/e2e/test_correlation_ids.py": {"test_postings_name_the_ids_that_their_records_state": "Read.correlation_id"},
    "tests/integration/erp/test_erp_over_tls.py": {
        "test_what_must_not_be_is_refused_with_its_code_and_shows_no_secret": (
            "Endpoint.ca Endpoint.certificate Endpoint.key Endpoint.key_secret"
        ),
        "test_http_to_another_machine_only_when_it_is_stated": "Endpoint.insecure",
    },
    "tests/unit/erp/test_quota.py": {
        "test_no_span_of_the_erps_log_has_more_requests": "Endpoint.quota ErpQuota.calls ErpQuota.per",
        "test_no_request_starts_when_the_processing_time_is_used": "ErpQuota.processing",
    },
    "tests/unit/erp/test_adapters.py": {
        "test_the_adapter_follows_the_configuration": "Endpoint.adapter Endpoint.idempotent Endpoint.timeout",
        "test_what_is_missing_is_named_by_code": "Endpoint.url Endpoint.secret",
        "test_a_document_has_the_erps_spelling_and_the_gates_stock_type": (
            "Identifier.pad Identifiers.scrap_reason Identifiers.unit"
        ),
    },
    "tests/unit/streams/test_spools.py": {
        "test_another_length_of_silence_is_an_alarm_later": "Source.expect Expect.every",
        "test_while_runs_are_open_only_their_time_counts": "Expect.while",
    },
    "tests/unit/ledger/test_order_books.py": {
        "test_how_far_consumption_may_be_from_what_pieces_need": "OrderRules.consumption_tolerance",
    },
    "tests/unit/ledger/test_variance.py": {"test_yield": "Plant.pallets"},
    "tests/unit/run/test_recorded_input.py": {"test_an_export_in_another_order_is_sorted_by_time": "Read.order"},
    "tests/unit/test_secret.py": {"test_another_key_gives_other_hashes": "PlantConfig.private_key"},
    "tests/unit/streams/mapping/test_csv_tables.py": {
        "test_a_file_of_an_office_program": "Read.delimiter",
        "test_encodings": "Read.encoding",
        "test_where_records_begin_and_end": "Read.columns Read.header Read.skip_lines",
    },
    "tests/unit/streams/mapping/test_every_record.py": {
        "test_every_canonical_event_can_be_emitted_and_written": "Emission.emit",
        "test_texts_of_lists_are_cleaned_like_lots": "Each.value",
    },
    "tests/unit/streams/mapping/test_further_events.py": {
        "test_each_further_event_has_its_own_condition_and_refusal": "EventRule.also",
        "test_unless_keeps_a_rule_from_matching": "Emission.unless",
    },
    "tests/unit/streams/mapping/test_ini_sections.py": {
        "test_each_section_is_a_record_and_kept_ones_hold_for_those_behind_them": "Read.keep",
    },
    "tests/unit/streams/mapping/test_json_lists.py": {
        "test_each_tag_of_a_message_is_a_record_at_its_own_time": "Read.each",
    },
    "tests/unit/streams/mapping/test_json_records.py": {
        "test_ids_by_field_content_and_position": "Read.event_id",
        "test_outputs_come_from_a_list_of_the_record": "Each.each",
        "test_received_at_from_the_record_the_broker_or_the_running_maximum": "Read.received_at",
        "test_sequence_numbers": "Read.sequence",
        "test_the_first_rule_that_matches_decides": "Emission.when EventRule.ignore Source.events",
        "test_with_a_star_unknown_equipment_is_taken_as_it_is": "PlantConfig.equipment Equipment.counters",
    },
    "tests/unit/streams/mapping/test_lots_and_names.py": {
        "test_aliases_of_equipment": "Equipment.alias",
        "test_lots_are_cleaned_in_the_stated_order": "Lots.clean",
        "test_what_does_not_look_like_a_lot_is_none_and_told": "Lots.pattern",
    },
    "tests/unit/streams/mapping/test_numbers.py": {"test_readings_and_whole_numbers_too": "Read.number"},
    "tests/unit/streams/mapping/test_private.py": {
        "test_stated_paths_are_hashed_in_refusals_and_originals": "PlantConfig.private Source.private",
    },
    "tests/unit/streams/mapping/test_texts_and_times.py": {"test_texts": "PlantConfig.tables"},
    "tests/unit/streams/mapping/test_time_forms.py": {"test_date_and_time_of_two_fields": "Read.occurred_at"},
    "tests/unit/streams/test_delivery.py": {
        "test_retries_end_when_the_configuration_says_so": "Retry.first Retry.give_up",
        "test_short_stock_waits_within_its_window_then_parks": "Booking.short_of_stock",
        "test_the_gate_per_kind_and_answer": "OnHold.receipt OnHold.consumption OnHold.scrap OnHold.rework",
        "test_without_erp_and_in_shadow_mode_postings_stay_queued_until_that_changes": "PlantConfig.shadow",
    },
    "tests/unit/streams/test_delivery_bundles.py": {
        "test_a_document_has_at_most_so_many_lines": "Endpoint.lines_per_document",
    },
    "tests/unit/streams/test_intake_owners.py": {
        "test_the_owner_is_believed_and_a_source_that_states_no_system_is_not_asked": "Source.system",
    },
    "tests/unit/streams/test_lots.py": {
        "test_a_hold_blocks_shipments_or_only_notifies": "OnHold.shipment",
    },
    "tests/unit/streams/test_holds.py": {
        "test_a_failed_inspection_stops_nothing_where_the_plant_says_so": "OnHold.failed_inspection",
    },
    "tests/unit/streams/test_order_state.py": {
        "test_a_released_order_goes_to_the_mes_with_the_plants_own_names": "Mes.work_centres",
        "test_silence_of_the_mes_raises_one_alarm": "Mes.acknowledge_within",
    },
    "tests/unit/streams/test_orders.py": {
        "test_kinds_without_a_rule_are_never_posted": "RulesConfig.post PostRule.kind",
        "test_milestones_confirm_what_went_before": "Booking.operations",
        "test_one_mode_per_component": "RulesConfig.consumption",
    },
    "tests/unit/streams/test_orders_calendar.py": {
        "test_a_closed_period_may_park_instead": "Periods.late",
        "test_late_scrap": "LateScrap.after_close",
    },
    "tests/unit/streams/test_orders_components.py": {
        "test_a_bom_change_in_mid_order": "OrderRules.bom",
        "test_no_erp_receives_a_co_product_by_itself": "Booking.receipt",
        "test_the_rule_decides_the_basis_before_the_component_does": "Consumption.basis",
    },
    "tests/unit/streams/test_orders_parked.py": {
        "test_technically_complete_takes_corrections_unless_told_otherwise": "OrderRules.technically_completed",
    },
    "tests/unit/streams/test_orders_rework.py": {"test_scrap_has_one_authority": "Plant.quantity_from"},
    "tests/unit/streams/test_orders_rules.py": {
        "test_a_kind_that_is_booked_by_nothing_is_recorded_and_never_posted": "Booking.by ErpConfig.book",
        "test_a_sweep_takes_what_the_minimum_held_back": "RulesConfig.sweep_every",
        "test_corrections": "PostRule.corrections",
        "test_issues_reduce_reservations_as_erp_yaml_says": "Booking.reservation",
        "test_rules_by_order_type": "PostRule.order_type",
    },
    "tests/unit/streams/test_orders_units.py": {"test_it_resumes_with_a_configuration": "PlantConfig.units"},
    "tests/unit/streams/test_silence.py": {
        "test_a_plant_waits_for_a_silent_source_and_tells": "Clock.patience",
        "test_where_the_plant_says_so_it_goes_on_names_what_is_missing_and_takes_it_in_again": "Source.on_silence",
    },
    "tests/unit/tables/test_account.py": {
        "test_each_equipment_counts_in_its_own_way": "Counter.counts",
        "test_yield_is_what_the_plant_says": "Yield.is",
    },
    "tests/unit/tables/test_attribution.py": {
        "test_meters_follow_the_loaded_lot": "Counter.of Counter.position",
        "test_owner": "Attribution.run_grace",
    },
    "tests/unit/tables/test_counter.py": {"test_readings": "Counter.on_fall Counter.modulus"},
    "tests/unit/tables/test_due.py": {
        "test_a_minimum_waits_except_at_completion_and_at_the_end": "PostRule.at_least",
        "test_times": "PostRule.when",
    },
    "tests/unit/tables/test_plausible.py": {
        "test_a_counter_that_counts_down": "Counter.shows Counter.starts_at",
        "test_dips": "Counter.dip",
        "test_what_is_believed": "Counter.at_most",
    },
}
"""File -> test -> the keys of which it shows the effect."""


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def keys_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """`Section.key` of each key, under the section that defines it, once. One that only holds a section has no effect itself."""
    seen.add(model)
    for name, field in model.model_fields.items():
        owner = next(base for base in reversed(model.__mro__) if name in getattr(base, "model_fields", {}))
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            yield f"{owner.__name__}.{field.alias or name}"
        for inner in models_in(field.annotation):
            if inner not in seen and inner not in WORDS:
                yield from keys_of(inner, seen)


def test_every_key_is_in_the_table_and_nothing_else_is() -> None:
    keys = {key for model in (PlantConfig, RulesConfig, ErpConfig, InstallationConfig) for key in keys_of(model, set())} - NO_KEYS
    named = [key for tests in SHOWN.values() for text in tests.values() for key in text.split()]
    assert len(named) == len(set(named)), "one test each"
    assert set(named) == keys


@pytest.mark.parametrize("file", SHOWN)
def test_the_named_tests_exist(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert set(SHOWN[file]) <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


# -- effects that no other file shows


USED = {"authority": "declarations", "unit": "kg", "denominator": 1000, "material": "PP", "lot": "R1"}


def ledger(*records: Any, rules: Any = None, erp: Any = None, plant: Any = None) -> Ledger:
    bench = Ledger(configuration(plant, rules, erp))
    bench.fold(*records)
    bench.tick(CUT)
    return bench


@pytest.mark.parametrize(
    ("kind", "rule", "equipment", "location"),
    [
        ("yield", {}, "", ""),
        ("yield", {}, "FG1", "FG1"),
        ("yield", {"receipt_location": "FG2"}, "FG1", "FG2"),
        ("consumption", {"receipt_location": "FG2"}, "FG1", ""),
        ("consumption", {"issue_location": "LINE"}, "FG1", "LINE"),
    ],
)
def test_locations(kind: str, rule: dict[str, str], equipment: str, location: str) -> None:
    plant = {"equipment": {"*": {"counters": {"shots": {}}, "receipt_location": equipment}}}
    used = total("consumption", 5, (1, 2), T, **USED)
    rules = {"post": [{"kind": kind, "when": "shift_end", **rule}]}
    bench = ledger(released(T), total("gross", 5, (1, 1), T), used, rules=rules, plant=plant)
    assert bench.account(kind).location == location


@pytest.mark.parametrize(
    ("order", "posted"),
    [({}, 1000), ({"over_delivery": "5"}, 1050), ({"over_delivery": "unlimited"}, 1200), ({"excess": "post"}, 1200)],
)
def test_over_delivery_and_its_excess(order: dict[str, str], posted: int) -> None:
    assert ledger(released(T), total("gross", 1200, (1, 1), T), rules={"order": order}).account("yield").posted == posted


@pytest.mark.parametrize(
    ("lots", "lot", "codes"),
    [
        ({}, "", {"consumption": "LOT_MISSING"}),
        ({"missing": "ignore"}, "", {}),
        ({}, "R1234567890", {"consumption": "LOT_TOO_LONG"}),
        ({"erp_max_length": "11"}, "R1234567890", {}),
    ],
)
def test_lots_that_are_missing_or_too_long(lots: dict[str, str], lot: str, codes: dict[str, str]) -> None:
    used = total("consumption", 5, label=T, **{**USED, "lot": lot})
    assert ledger(released(T, components=[component(batch_managed=True)]), used, plant={"lots": lots}).codes() == codes


@pytest.mark.parametrize(
    ("rule", "booking", "expected"),
    [
        ({}, {}, ("min", 1)),
        ({"unit": "ms"}, {}, ("ms", 0)),
        ({"unit": "h"}, {}, ("h", 2)),
        ({}, {"unit": "h", "decimals": 3}, ("h", 3)),
        ({"unit": "min", "decimals": 1}, {"unit": "h", "decimals": 3}, ("min", 1)),
    ],
)
def test_units_of_postings(rule: dict[str, Any], booking: dict[str, Any], expected: tuple[str, int]) -> None:
    rules = {"post": [{"kind": "machine_time", "when": "shift_end", **rule}]}
    erp = {"erp": {"adapter": "sim"}, "book": {"machine_time": booking}}
    ran = total("machine_time", 3_600_000, label=T, unit="ms", material="", lot="")
    row = ledger(released(T), ran, rules=rules, erp=erp).account("machine_time")
    assert (row.unit, row.scale) == expected


@pytest.mark.parametrize(("most", "delay"), [("5 min", 8_000_000), ("3 s", 3_000_000)])
def test_the_longest_delay(most: str, delay: int) -> None:
    assert delay_us(Retry.model_validate({"at_most": most}), 4) == delay


@pytest.mark.parametrize(("globs", "source"), [(["a*.csv"], "a"), (["b*.csv"], None)])
def test_files_of_a_source(globs: list[str], source: str | None, tmp_path: Path) -> None:
    file = tmp_path / "a1.csv"
    file.write_text("x\n", encoding="utf-8")
    empty = {"read": {}, "events": [{"ignore": "true"}]}
    plant = PlantConfig.model_validate({"plant": {"id": "P"}, "sources": {"a": {**empty, "files": globs}, "c": empty}})
    if source is None:
        with pytest.raises(InputError, match="matches no source"):
            inputs([str(file)], plant)
        return
    assert [found.source for found in inputs([str(file)], plant)] == [source]


@pytest.mark.parametrize(
    ("wanted", "emitted"),
    [
        ({}, None),
        ({"orders": "erp"}, {"OrderReleased", "OrderChanged", ""}),
        ({"materials": "erp"}, {"MaterialChanged", "LotCreated", ""}),
    ],
)
def test_what_the_erp_owns_is_pulled(wanted: dict[str, str], emitted: set[str] | None) -> None:
    source = {"read": {}, "events": [{"ignore": "true"}]}
    content = {"plant": {"id": "P"}, "sources": {"s": source}, "master_data": wanted}
    pulled = PlantConfig.model_validate(content).sources.get("erp")
    assert (None if pulled is None else {rule.emit for rule in pulled.events}) == emitted
