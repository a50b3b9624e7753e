"""Defects in what becomes of quantities: when they are issued, what is sent and sent again, what a hold stops."""

from tests.mutants.planting import Mutant

STREAMS, TABLES = "tests/unit/streams", "tests/unit/tables"
DELIVERY, DOCUMENTS = f"{STREAMS}/test_delivery.py", f"{STREAMS}/test_delivery_bundles.py"
LOTS, DUE = f"{STREAMS}/test_lots.py", f"{TABLES}/test_due.py"
MUTANTS = {
    "what a dead process had is taken for never sent": Mutant(
        "streams.delivery.stage",
        "if row.state in (DISPATCHED, UNKNOWN, RETRY)]",
        "if row.state in (UNKNOWN, RETRY)]",
        f"{DELIVERY}::test_take_over_makes_dispatched_unknown_and_resends_where_the_erp_is_idempotent",
    ),
    "a closed sequence is posted again": Mutant(
        "streams.delivery.stage",
        "if desk.is_closed(posting) or is_repeat(posting, desk.clock(posting.plant), desk.retention.postings_us):",
        "if False:",
        "tests/unit/streams/test_delivery_sequences.py::test_a_sequence_that_is_closed_is_answered_and_not_posted_again",
    ),
    "another content under an id": Mutant(
        "streams.delivery.stage",
        "if known.posting.content_hash != posting.content_hash:",
        "if False:",
        f"{DELIVERY}::test_another_content_under_an_id_parks_it",
    ),
    "a lot's states without the epoch of their log": Mutant(
        "streams.delivery.stage",
        "(known.log_epoch, known.inbox_offset) > (state.log_epoch, state.inbox_offset)",
        "known.inbox_offset > state.inbox_offset",
        f"{DELIVERY}::test_a_lot_state_of_a_newer_log_replaces_one_with_a_higher_offset",
    ),
    "a hold reaches nobody": Mutant(
        "streams.delivery.stage",
        "    for name in desk.backlog.of_lot(state.plant, state.material, state.lot):",
        "    for name in ():",
        f"{DELIVERY}::test_a_hold_recalls_what_is_with_the_executor_and_its_release_takes_that_back",
    ),
    "an older attempt's failure counts": Mutant(
        "streams.delivery.attempts",
        "if row.state not in (DISPATCHED, UNKNOWN) or ended.attempt != row.attempts:",
        "if row.state not in (DISPATCHED, UNKNOWN):",
        f"{DELIVERY}::test_take_over_makes_dispatched_unknown_and_resends_where_the_erp_is_idempotent",
    ),
    "a refused resend ends the posting": Mutant(
        "streams.delivery.attempts",
        "return 0 < row.unresolved < ended.attempt",
        "return False",
        f"{DELIVERY}::test_a_resend_that_is_refused_does_not_hide_an_earlier_attempt",
    ),
    "only the newest unknown attempt is remembered": Mutant(
        "streams.delivery.desk",
        "row.unresolved = row.unresolved or row.attempts",
        "row.unresolved = row.attempts",
        f"{DELIVERY}::test_an_attempt_is_final_only_when_none_before_it_is_open",
    ),
    "not found is never booked": Mutant(
        "streams.delivery.attempts",
        'case "not_found" if ended.code == HORIZON_PASSED and row.state == UNKNOWN:',
        'case "not_found" if row.state == UNKNOWN:',
        f"{DELIVERY}::test_take_over_reads_back_where_the_erp_is_not_idempotent",
    ),
    "a second document is taken for the first": Mutant(
        "streams.delivery.attempts",
        "if row.erp_document and second and second != row.erp_document:",
        "if False:",
        f"{DELIVERY}::test_accepted_is_absorbing_and_a_second_document_raises_double",
    ),
    "another plant's ERP counts as a failure": Mutant(
        "streams.delivery.attempts",
        'case "retry" if ended.code == FOREIGN and not row.mismatch:',
        'case "retry" if False:',
        f"{STREAMS}/test_delivery_foreign.py::test_a_refused_posting_waits_and_is_never_given_up",
    ),
    "a correction overtakes within a document": Mutant(
        "streams.delivery.bundles",
        "fits = fits and all(earlier.posting.posting_id in names for earlier in desk.earlier(row))",
        "pass",
        f"{DOCUMENTS}::test_a_correction_stays_behind_while_what_it_corrects_waits_for_its_retry",
    ),
    "half a document goes again": Mutant(
        "streams.delivery.bundles",
        "if len(lines) > len(others) and whole and all(",
        "if whole and all(",
        f"{DOCUMENTS}::test_half_of_a_document_is_no_document",
    ),
    "a resend in a form that the hold policy forbids now": Mutant(
        "streams.delivery.desk",
        "not row.mismatch and self._same_form(row) and self._same_erp(row)",
        "not row.mismatch and self._same_erp(row)",
        f"{DELIVERY}::test_an_unknown_under_a_hold_that_forbids_it_is_read_back_never_resent",
    ),
    "shadow mode posts": Mutant(
        "streams.delivery.desk",
        " and not configuration.plant.shadow",
        "",
        f"{DELIVERY}::test_without_erp_and_in_shadow_mode_postings_stay_queued_until_that_changes",
    ),
    "the back-off has no most": Mutant(
        "tables.delivery.backoff",
        "min(doubled, retry.at_most_us)",
        "doubled",
        f"{TABLES}/test_backoff.py::test_it_doubles_up_to_its_most_and_is_never_less_than_the_erp_asked_for",
    ),
    "what never gives up gives up": Mutant(
        "tables.delivery.backoff",
        "0 < retry.give_up_us < waited_us",
        "retry.give_up_us < waited_us",
        f"{TABLES}/test_backoff.py::test_waiting_ends_behind_its_limit_and_without_one_never",
    ),
    "accepted is left": Mutant(
        "tables.delivery.posting_state",
        "    ACCEPTED: frozenset(),",
        "    ACCEPTED: frozenset({PARKED}),",
        f"{DELIVERY}::test_the_table_of_states",
    ),
    "every way is a transition": Mutant(
        "tables.delivery.posting_state",
        "if state not in TRANSITIONS[row.state]:",
        "if False:",
        f"{DELIVERY}::test_a_way_that_is_not_in_the_table_is_a_defect",
    ),
    "what was parked for its lot stays parked": Mutant(
        "tables.delivery.posting_state",
        " or (row.state == PARKED and row.code == LOT_BLOCKED)",
        "",
        f"{DELIVERY}::test_a_held_posting_is_regated_when_its_lot_is_released",
    ),
    "recorded input by the newest hold": Mutant(
        "tables.delivery.hold_gate",
        "if state is not None and cut is not None:",
        "if False:",
        f"{STREAMS}/test_delivery_by_cut.py::test_a_hold_counts_from_its_time_in_the_log",
    ),
    "a receipt without lot is not gated": Mutant(
        "tables.delivery.hold_gate",
        'return received[0] if received else (posting.material, "")',
        'return posting.material, ""',
        f"{DELIVERY}::test_the_lot_that_the_erp_will_receive_gates_a_receipt_without_lot",
    ),
    "negative yield does not wait for its counts": Mutant(
        "tables.orders.due",
        'return account.kind == "yield" and account.target < 0 <= account.posted',
        "return False",
        f"{DUE}::test_negative_yield_waits_for_its_counts",
    ),
    "an interval ends before it": Mutant(
        "tables.orders.due",
        "return -(-now // interval_us) * interval_us",
        "return now // interval_us * interval_us",
        f"{DUE}::test_intervals_end_at_whole_multiples",
    ),
    "the latest trigger decides": Mutant(
        "tables.orders.due",
        "return min(found if sweep is None else [*found, sweep], default=None)",
        "return max(found if sweep is None else [*found, sweep], default=None)",
        f"{DUE}::test_the_earliest_trigger_decides",
    ),
    "a large reversal is not urgent": Mutant(
        "tables.orders.due",
        "and abs(grown) > most",
        "and grown > most",
        f"{DUE}::test_at_once_is_one_declaration_above_the_threshold",
    ),
    "what was issued is issued again": Mutant(
        "tables.orders.postings",
        "    account.posted += share.amount\n",
        "",
        f"{STREAMS}/test_orders.py::test_corrections_go_down_and_sequences_go_up",
    ),
    "a reversal is reversed": Mutant(
        "tables.orders.postings",
        "            if posting.reverses:\n                effective.pop()\n            else:",
        "            if True:",
        f"{STREAMS}/test_orders_rules.py",
    ),
    "a component is backflushed by every operation": Mutant(
        "tables.orders.postings",
        "if component.operation not in confirmed or component.phantom:",
        "if component.phantom:",
        f"{STREAMS}/test_orders_components.py::test_a_component_is_backflushed_where_its_operation_is_confirmed",
    ),
    "a later date under the same id": Mutant(
        "tables.orders.postings",
        "    again.revision += 1\n",
        "",
        f"{DOCUMENTS}::test_a_posting_that_crossed_the_cut_off_goes_again_under_a_new_id",
    ),
    "of two entries with one version the free one stays": Mutant(
        "tables.lots",
        "return hold.version, hold.active, hold.severity, hold.origin",
        "return hold.version, not hold.active, hold.severity, hold.origin",
        f"{LOTS}::test_with_equal_versions_the_lot_stays_on_hold",
    ),
    "a repeated inspection heals a failed one": Mutant(
        "tables.lots",
        '("", "requested", "pass", "fail")',
        '("", "requested", "fail", "pass")',
        f"{LOTS}::test_what_is_noted_of_a_lot",
    ),
    "a lot on hold is forgotten": Mutant(
        "tables.lots",
        "if not row.touched_at or any(hold.active for hold in row.holds) or open_inspections(row):",
        "if not row.touched_at:",
        f"{LOTS}::test_a_lot_is_forgotten_when_nobody_holds_it_and_nothing_was_said_of_it_for_long",
    ),
    "decisions about two lots are one hold": Mutant(
        "tables.lots",
        'f"disposition:{origin}"',
        '"disposition"',
        f"{LOTS}::test_a_disposition_that_is_not_accept_is_a_hold_until_it_is_accepted",
    ),
    "a hold stays with its lot": Mutant(
        "streams.lots",
        "return [_forward(row, child, hold) for child in row.children]",
        "return []",
        f"{LOTS}::test_a_hold_reaches_children_of_children_and_its_release_follows",
    ),
    "a new edge gets active holds only": Mutant(
        "streams.lots",
        "return [_forward(row, child, hold) for hold in row.holds]",
        "return [_forward(row, child, hold) for hold in row.holds if hold.active]",
        f"{LOTS}::test_a_new_edge_forwards_released_entries_too",
    ),
    "forwarded holds wait for the clock": Mutant(
        "streams.lots",
        "    HoldForwarded: Handling(AT_ONCE, ",
        '    HoldForwarded: Handling("4", ',
        f"{LOTS}::test_forwarded_holds_are_folded_at_once_whatever_their_label",
    ),
    "a refused record leaves a trace": Mutant(
        "streams.lots",
        "row = replace(known) if known else",
        "row = known if known else",
        f"{LOTS}::test_a_lot_that_would_outgrow_its_row_refuses_the_record_and_keeps_its_state",
    ),
    "what waits is lost at a take-over": Mutant(
        "streams.lots",
        "        yield from waiting.remember()\n",
        "",
        f"{LOTS}::test_records_wait_for_the_clock_and_survive_a_take_over",
    ),
}
