"""Defects in how counts, declarations and times find their owner."""

from tests.mutants.planting import Mutant

TABLES, STREAMS = "tests/unit/tables", "tests/unit/streams"
MUTANTS = {
    "no de-duplication of readings": Mutant(
        "tables.equipment.timeline",
        "known = self._known.value_of(point, raw_source)",
        "known = None",
        f"{STREAMS}/test_equipment.py::test_of_two_readings_with_one_sequence_number_the_first_stays",
    ),
    "no de-duplication of declarations": Mutant(
        "tables.equipment.equipment",
        "if self._rows.get(key) is not None:",
        "if False:",
        f"{TABLES}/test_declarations.py::test_a_repeated_event_id_is_a_duplicate",
    ),
    "raw positions as text": Mutant(
        "tables.order_of_telling",
        '(int(part), "")',
        "(-1, part)",
        "tests/unit/tables/test_order_of_telling.py",
    ),
    "states of one moment by id": Mutant(
        "tables.equipment.presence",
        "row.states.sort(key=lambda known: (known.from_at, place(known)))",
        "row.states.sort(key=lambda known: (known.from_at, known.event_id))",
        "tests/unit/tables/test_order_of_telling.py",
    ),
    "a person at two places": Mutant(
        "tables.equipment.people",
        "while len(self.on) > 1 and",
        "while False and",
        f"{STREAMS}/test_people_across_partitions.py",
    ),
    "voids without effect": Mutant(
        "tables.equipment.entries",
        "is None or _rank(told) < _rank(entry)]",
        "is None or True]",
        f"{TABLES}/test_entries.py",
    ),
    "what does not convert is left out": Mutant(
        "tables.orders.account",
        "if wrong is not None and quantity:",
        "if False:",
        f"{STREAMS}/test_orders_units.py",
    ),
    "reset as zero": Mutant(
        "tables.equipment.counter",
        'return "reset", new',
        'return "reset", 0',
        f"{TABLES}/test_counter.py::test_readings",
    ),
    "placeholder as reset": Mutant(
        "tables.equipment.counter",
        'elif self._counter.on_fall == "placeholder":',
        "elif False:",
        f"{TABLES}/test_counter.py::test_the_zeros_of_a_real_mill_in_miniature",
    ),
    "a clock that went back as reset": Mutant(
        "tables.equipment.counter",
        "elif 0 <= point.seq < state.seq and point.value < state.value:",
        "elif False:",
        f"{TABLES}/test_counter.py::test_a_clock_that_went_back",
    ),
    "a jump is believed": Mutant(
        "tables.equipment.counter",
        "believed = room is None or pieces <= room",
        "believed = True",
        f"{TABLES}/test_plausible.py::test_a_false_high_count_that_goes_back_never_was",
    ),
    "a rate without the time between the readings": Mutant(
        "tables.equipment.plausible",
        "- state.level + bounds.rate * since)",
        "- state.level)",
        f"{TABLES}/test_plausible.py::test_what_is_believed",
    ),
    "a rate that forgets the readings before": Mutant(
        "tables.equipment.plausible",
        "level = state.level + pieces * bounds.per - bounds.rate * (at - state.at)",
        "level = 0",
        f"{TABLES}/test_plausible.py::test_what_is_believed",
    ),
    "what was undecided stays when the count comes back": Mutant(
        "tables.equipment.counter",
        "self._hold(point, -doubted.held, doubted.began_at)",
        "pass",
        f"{TABLES}/test_plausible.py::test_a_false_high_count_that_goes_back_never_was",
    ),
    "time decides": Mutant(
        "tables.equipment.counter",
        "elif believed and (point.value < doubted.shows or doubted.shows < old):",
        "elif believed:",
        f"{TABLES}/test_plausible.py::test_what_is_believed",
    ),
    "a discarded jump is counted when the count comes back": Mutant(
        "tables.equipment.counter",
        "pieces = value - former.value - (state.value - former.from_value)",
        "pieces = value - former.value",
        f"{TABLES}/test_plausible.py::test_a_person_decides",
    ),
    "undecided pieces go to the run": Mutant(
        "tables.equipment.counting",
        "if delta.undecided is not None:",
        "if False:",
        f"{TABLES}/test_plausible.py::test_undecided_pieces_are_nobodys_until_somebody_decides",
    ),
    "a jump in the middle of many readings is not seen": Mutant(
        "tables.equipment.counting",
        "return int(levels[-1]) if int(levels.max()) <= bounds.burst * bounds.per else None",
        "return int(levels[-1])",
        f"{TABLES}/test_plausible.py::test_a_late_reading_that_explains_a_jump_has_it_counted",
    ),
    "a dip lowers the mark": Mutant(
        "tables.equipment.counter",
        "held = point._replace(value=old)",
        "held = point",
        f"{TABLES}/test_plausible.py::test_dips",
    ),
    "two steps of a small total": Mutant(
        "schemas.configuration.counters",
        "(fall <= DIP_STEPS and 2 * new >= old)",
        "fall <= DIP_STEPS",
        f"{TABLES}/test_plausible.py::test_dips",
    ),
    "the gap begins at the record that says so": Mutant(
        "tables.equipment.counter",
        "return state.at or state.broken_at",
        "return state.broken_at",
        f"{TABLES}/test_counter.py::test_gaps",
    ),
    "a counter that counts down, upwards": Mutant(
        "tables.equipment.counter",
        'return -value if counter.shows == "remaining" and value != UNAVAILABLE else value',
        "return value",
        f"{TABLES}/test_plausible.py::test_a_counter_that_counts_down",
    ),
    "arrival order as truth": Mutant(
        "tables.equipment.timeline",
        "if (point.at, point.seq, point.raw) > (state.last_at, state.last_seq, state.last_raw):",
        "if True:",
        f"{STREAMS}/test_equipment.py::test_a_gap_in_the_sequence_stays_open_and_is_filled_exactly",
    ),
    "the mould's factor instead of the run's": Mutant(
        "tables.equipment.attribution",
        "return begun[-1].outputs if begun else",
        "return",
        f"{TABLES}/test_attribution.py::test_factor_changes_within_the_run",
    ),
    "float sums": Mutant(
        "tables.equipment.totals",
        "total.amount += share.amount",
        "total.amount = int(float(total.amount) + share.amount)",
        f"{TABLES}/test_attribution.py::test_amounts_beyond_what_a_float_holds_are_exact",
    ),
    "the last time of what moved away stays": Mutant(
        "tables.equipment.totals",
        "if share.first_at <= total.first_at or share.last_at >= total.last_at:",
        "if share.first_at <= total.first_at:",
        f"{TABLES}/test_attribution.py::test_the_bounds_of_a_total_are_those_of_what_is_left",
    ),
    "late readings beside the packed ones in the order of their arrival": Mutant(
        "tables.equipment.reading_buckets",
        "self._place(beside[np.lexsort((beside[:, 3], beside[:, 1], beside[:, 0]))])",
        "self._place(beside)",
        f"{TABLES}/test_packed_readings.py::test_a_few_late_readings_stand_beside_the_packed_ones",
    ),
    "lot without material as key": Mutant(
        "tables.equipment.attribution",
        'lot = load.lot if load.material == material else ""',
        "lot = load.lot",
        f"{TABLES}/test_attribution.py::test_a_lot_belongs_to_its_material",
    ),
    "old destination not zeroed": Mutant(
        "streams.equipment.totals",
        "not (total.amount or total.sent)",
        "not total.amount",
        f"{STREAMS}/test_equipment.py::test_only_what_changed_is_sent_and_zero_once_when_it_moved_away",
    ),
    "total published for an expired key": Mutant(
        "tables.equipment.equipment",
        "and to.business_date < reachable",
        "",
        f"{TABLES}/test_expiry.py::test_a_total_stays_while_its_business_date_can_still_get_pieces",
    ),
    "version without epoch": Mutant(
        "tables.orders.account",
        "return total.log_epoch, total.inbox_offset, total.fold_version",
        "return 0, total.inbox_offset, total.fold_version",
        f"{TABLES}/test_account.py::test_only_a_newer_version_replaces",
    ),
}
