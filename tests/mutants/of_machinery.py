"""Defects in what carries the folds: positions, stores and fetches of the engine, the executor, its budget, the proof."""

from tests.mutants.planting import Mutant

ENGINE, ERP = "tests/unit/engine", "tests/unit/erp"
POSITION, ROWS, STEP = f"{ENGINE}/test_position.py", f"{ENGINE}/test_rows.py", f"{ENGINE}/test_step.py"
EXECUTOR, BUDGET, TRAFFIC = f"{ERP}/test_executor.py", f"{ERP}/test_budget.py", f"{ERP}/test_traffic.py"
QUOTA = f"{ERP}/test_quota.py"
BOOKS = "tests/unit/ledger/test_reconciliation.py"
MUTANTS = {
    "partitions that were added are accepted": Mutant(
        "app.engine.position",
        "if state.partitions != spec.partitions:",
        "if False:",
        f"{POSITION}::test_keys_are_spread_over_as_many_partitions_as_the_state_was_begun_with",
    ),
    "another topic of the same name goes on": Mutant(
        "app.engine.position",
        "if not (same or raised):",
        "if False:",
        f"{POSITION}::test_another_topic_is_refused_however_much_of_it_was_read",
    ),
    "a recreated inbox is read from where the old one ended": Mutant(
        "app.engine.position",
        "goes_on = low if not same else",
        "goes_on =",
        f"{POSITION}::test_a_recreated_topic_is_read_from_its_beginning_once_the_epoch_is_raised",
    ),
    "an older epoch than the state's": Mutant(
        "app.engine.position",
        "if state.log_epoch > spec.log_epoch:",
        "if False:",
        f"{POSITION}::test_a_state_of_a_later_epoch_than_the_log_says_is_refused",
    ),
    "a lost tail is skipped": Mutant(
        "app.engine.position",
        "if not (low <= goes_on <= high and goes_on == state.next_offset):",
        "if not (low <= goes_on <= high):",
        f"{POSITION}::test_another_log_is_refused_until_the_epoch_is_raised_and_then_nothing_is_skipped",
    ),
    "a store of any age": Mutant(
        "app.engine.restore",
        "        and 0 <= now - meta.committed_at <= changelog.max_age_seconds\n",
        "",
        f"{ENGINE}/test_restore.py::test_usable",
    ),
    "a store that is ahead of its changelog": Mutant(
        "app.engine.restore",
        "        and meta.offset <= high\n",
        "",
        f"{ENGINE}/test_restore.py::test_usable",
    ),
    "a restore forgets deletions": Mutant(
        "app.engine.restore",
        "batch.delete(message.key())",
        "pass",
        f"{ENGINE}/test_restore.py::test_a_restore_is_what_the_changelog_says_up_to_its_end",
    ),
    "the mark of a restore is one short": Mutant(
        "app.engine.restore",
        "eof, end = True, max(end, message.offset())",
        "eof = True",
        f"{ENGINE}/test_restore.py::test_a_restore_is_what_the_changelog_says_up_to_its_end",
    ),
    "deleted rows without a tombstone": Mutant(
        "app.engine.rows",
        "            elif self._stored(raw_key) is not None:\n                taken",
        "            elif False:\n                taken",
        f"{ROWS}::test_a_tombstone_is_sent_only_for_a_stored_row",
    ),
    "rows of a commit that is under way are not seen": Mutant(
        "app.engine.rows",
        "found.update((key, self._rows[key]) for key in self._dirty | self._in_flight if",
        "found.update((key, self._rows[key]) for key in self._dirty if",
        f"{ROWS}::test_a_scan_sees_stored_dirty_and_in_flight_rows_in_key_order",
    ),
    "a damaged store is a short one": Mutant(
        "app.engine.rows",
        "            self._cursor.status()\n",
        "            pass\n",
        f"{ROWS}::test_a_rotten_store_is_an_error_and_never_a_shorter_scan",
    ),
    "rows that wait are forgotten": Mutant(
        "app.engine.rows",
        "{key: self._rows[key] for key in self._dirty}",
        "{}",
        f"{ROWS}::test_the_cache_is_bounded_and_forgets_only_clean_rows",
    ),
    "a hole in the inbox is skipped": Mutant(
        "app.engine.stage",
        "if batch.start > part.position:",
        "if False:",
        f"{STEP}::test_a_hole_in_the_chain_ends_the_process_before_anything_is_folded",
    ),
    "a batch is folded twice": Mutant(
        "app.engine.stage",
        "or not part.ready or batch.end <= part.position:",
        "or not part.ready:",
        f"{STEP}::test_a_repeat_is_skipped",
    ),
    "an overlap is folded twice": Mutant(
        "app.engine.stage",
        "if batch.start < part.position:",
        "if False:",
        f"{STEP}::test_an_overlap_is_trimmed",
    ),
    "one death proves a record guilty": Mutant(
        "app.engine.stage",
        "if count >= SUSPECT_LIMIT)",
        "if True)",
        f"{STEP}::test_one_death_is_no_proof",
    ),
    "what is folded and not committed counts as committed": Mutant(
        "app.engine.partition",
        "if not (self.pending or self.folded or self.released or self.lock.locked()):",
        "if True:",
        f"{STEP}::test_markers_alone_need_no_transaction_and_show_no_lag",
    ),
    "an end of a log is as young as its answer": Mutant(
        "app.engine.fetches",
        "Fetch(offset, rest[0], asked, answered, empty)",
        "Fetch(offset, rest[0], answered, answered, empty)",
        f"{ENGINE}/test_fetches.py::test_it_is_as_old_as_the_question",
    ),
    "open transactions are no records": Mutant(
        "app.engine.fetches",
        "empty = highwater == offset and not rest[-1]",
        "empty = not rest[-1]",
        f"{ENGINE}/test_fetches.py::test_empty_means_that_nothing_lies_behind",
    ),
    "a call without a lease": Mutant(
        "app.erp.executor",
        "return self._time.boottime() - self._last_good() < self._settings.session_timeout / 2",
        "return True",
        f"{EXECUTOR}::test_without_a_good_lease_nothing_is_sent",
    ),
    "an entry that nobody wants any more is sent": Mutant(
        "app.erp.executor",
        "if row is not None and (row.state, row.attempts) == (state, attempt)]",
        "if row is not None]",
        f"{EXECUTOR}::test_an_entry_that_its_row_does_not_want_any_more_is_dropped",
    ),
    "an adapter that raised has not sent": Mutant(
        "app.erp.asking",
        'answer = Answer("unknown", code="ADAPTER_DEFECT"',
        'answer = Answer("retry", code="ADAPTER_DEFECT"',
        f"{EXECUTOR}::test_a_defect_of_the_adapter_is_unknown_never_a_failure",
    ),
    "absence is proved before the horizon": Mutant(
        "app.erp.executor",
        'if answer.result == "not_found" and started >= work.deadline_ns:',
        'if answer.result == "not_found":',
        f"{EXECUTOR}::test_reading_back_proves_absence_only_after_every_horizon",
    ),
    "calls without distance": Mutant(
        "app.erp.pace",
        "self._slot = max(self._slot, now - CATCH_UP_NS) + self.interval_ns",
        "pass",
        f"{BUDGET}::test_no_window_ever_has_more_calls_than_allowed",
    ),
    "a late request moves all later ones": Mutant(
        "app.erp.pace",
        "self._slot = max(self._slot, now - CATCH_UP_NS) + self.interval_ns",
        "self._slot = max(self._slot, now) + self.interval_ns",
        "tests/unit/erp/test_pace.py::test_who_always_wakes_up_late_still_uses_nine_tenths[10]",
    ),
    "idle time is made up for": Mutant(
        "app.erp.pace",
        "self._slot = max(self._slot, min(now, self._slot + now - self._idle_since))",
        "pass",
        "tests/unit/erp/test_pace.py::test_time_in_which_nobody_wanted_to_leave_is_not_made_up_for",
    ),
    "the circuit never opens": Mutant(
        "app.erp.circuit",
        "if self._failures >= BREAKER_FAILURES and not self.open:",
        "if False:",
        f"{BUDGET}::test_the_circuit_opens_probes_and_closes",
    ),
    "a few silent lanes are an outage": Mutant(
        "app.erp.circuit",
        "self._silent.add(lane)",
        "self._silent.add(str(len(self._silent)))",
        f"{BUDGET}::test_a_few_lanes_never_open_the_circuit",
    ),
    "suspects have no share": Mutant(
        "app.erp.budget",
        "self._suspects_from = max(self._suspects_from, now + SUSPECT_SHARE * self.interval_ns)",
        "pass",
        f"{BUDGET}::test_suspects_have_a_share_and_the_rest_when_nobody_else_waits",
    ),
    "the window has no margin": Mutant(
        "app.erp.pace",
        "count / self.most * WINDOW_NS) + JITTER_NS",
        "count / self.most * WINDOW_NS)",
        "tests/unit/erp/test_pace.py::test_under_backlog_nine_tenths_are_used_and_no_second_has_more",
    ),
    "a request counts when it is let in": Mutant(
        "app.erp.doorway",
        "if departure is None or self.budget.late_wait_ns(now, departure) != 0:",
        "if departure is None:",
        "tests/unit/erp/test_doorway.py::test_a_call_whose_place_others_took_while_it_stalled_waits",
    ),
    "bytes are gone at once": Mutant(
        "app.erp.window",
        "        self.open = self.going = True\n",
        "        self.open = True\n",
        "tests/unit/erp/test_pace.py::test_wherever_a_request_stalls_no_second_has_more",
    ),
    "a late answer says nothing": Mutant(
        "app.erp.window",
        "departure.at = max(departure.at, logged - self._least[departure.document].ns)",
        "pass",
        "tests/unit/erp/test_pace.py::test_an_answer_that_is_late_counts_and_one_that_never_comes_does_not_for_ever",
    ),
    "no transport tells when bytes are gone": Mutant(
        "app.erp.traffic",
        'event.endswith("send_request_body.complete")',
        'event.endswith("request_sent")',
        "tests/unit/erp/test_doorway.py::test_a_real_transport_tells_when_the_bytes_are_gone",
    ),
    "a pause lets read-backs and pulls through": Mutant(
        "app.erp.budget",
        "shut = self.paused or (own_place and self.in_flight >= self.calls)",
        "shut = own_place and self.in_flight >= self.calls",
        "tests/unit/erp/test_endpoint_orders.py::test_while_paused_no_call_leaves_and_then_all_go",
    ),
    "a successor knows of no pause": Mutant(
        "streams.delivery.stage",
        "            step.release(Paused(desk.mode == PAUSE))\n        for row in begun:",
        "            pass\n        for row in begun:",
        "tests/unit/erp/test_endpoint_orders.py::test_a_successor_keeps_the_order",
    ),
    "logins and pulls go around the limit": Mutant(
        "app.erp.doorway",
        "        if departure is None or self.budget.late_wait_ns(now, departure) != 0:\n",
        "        if False:\n",
        "tests/unit/erp/test_doorway.py::test_pulls_of_master_data_wait_like_everything_else",
    ),
    "only posts are asked to wait": Mutant(
        "app.erp.doorway",
        "            self.budget.hold(now + wait_ms * 1_000_000)\n",
        "",
        "tests/unit/erp/test_doorway.py::test_retry_after_of_any_call_holds_for_all",
    ),
    "a successor forgets Retry-After": Mutant(
        "streams.delivery.stage",
        "            step.release(HeldUntil(step.state.marks[HELD_UNTIL]))",
        "            pass",
        "tests/unit/erp/test_doorway.py::test_what_the_erp_asked_for_is_in_the_log_and_holds_for_a_successor",
    ),
    "what somebody else took out of a quota is used": Mutant(
        "app.erp.quota",
        "        if entry.owner != self._owner:\n            return\n",
        "",
        f"{QUOTA}::test_what_another_took_out_is_not_used_here",
    ),
    "what was taken out of a quota is not kept": Mutant(
        "streams.delivery.stage",
        "        rows.put(QUOTA_ROWS.key(desk.endpoint), row)\n",
        "",
        f"{QUOTA}::test_a_kill_between_taking_out_and_use_costs_a_block_and_breaks_nothing",
    ),
    "pulls and logins cost nothing of a quota": Mutant(
        "app.erp.budget",
        "        return None if shut else self._within_quota(self._pace.wait_ns(now))\n",
        "        return None if shut else self._pace.wait_ns(now)\n",
        f"{QUOTA}::test_pulls_and_read_backs_count_as_well",
    ),
    "processing time counts when it is over": Mutant(
        "app.erp.quota",
        "            self._look()\n            self._fill()\n            return LOOK_SECONDS\n",
        "            return LOOK_SECONDS\n",
        f"{QUOTA}::test_a_call_that_hangs_counts_while_it_hangs",
    ),
    "the successor begins at once": Mutant(
        "app.erp.pace",
        "self.hold(now + max(self._window.length_ns, self.interval_ns) + self.interval_ns)",
        "pass",
        f"{BUDGET}::test_a_take_over_pauses_longer_than_the_window",
    ),
    "requests of nobody are not counted": Mutant(
        "app.erp.traffic",
        "        body, doorway = await request.aread(), self._traffic.doorway\n",
        "        body, doorway = await request.aread(), self._traffic.doorway\n"
        "        if 'lineledger' not in request.extensions:\n"
        "            return await self._inner.handle_async_request(request)\n",
        f"{TRAFFIC}::test_a_request_that_nobody_marked_is_counted_too",
    ),
    "retries of a document count as first attempts": Mutant(
        "app.erp.traffic",
        "            sent.update(request.postings)\n",
        "",
        f"{TRAFFIC}::test_every_request_of_every_adapter_is_in_the_journal_before_it_leaves",
    ),
    "secrets stand in the journal": Mutant(
        "app.erp.traffic",
        "self._secrets.hide(_text(request, body))",
        "_text(request, body)",
        f"{TRAFFIC}::test_every_request_of_every_adapter_is_in_the_journal_before_it_leaves",
    ),
    "what was said after a cut is added up in it": Mutant(
        "app.ledger.proof.readdition",
        "if told.known_at <= cut and type(told.event) in DECLARATIONS:",
        "if type(told.event) in DECLARATIONS:",
        f"{BOOKS}::test_what_was_said_after_the_cut_is_not_in_it",
    ),
    "an order's limit is not looked at": Mutant(
        "app.ledger.proof.readdition",
        "if not held and room is not None and goal > room:",
        "if False:",
        f"{BOOKS}::test_the_limit_of_an_order_holds_until_a_person_lets_it_through",
    ),
    "a decision counts before it was made": Mutant(
        "app.ledger.proof.readdition",
        "if one.known_at <= cut and isinstance(one.event, OperatorDecision)}",
        "if isinstance(one.event, OperatorDecision)}",
        f"{BOOKS}::test_the_limit_of_an_order_holds_until_a_person_lets_it_through",
    ),
    "contents are not held against their hash": Mutant(
        "app.ledger.proof.reconciliation.postings",
        "if posting.content_hash != hash_of(posting):",
        "if False:",
        f"{BOOKS}::test_each_lie_is_told",
    ),
    "lost postings are not missed": Mutant(
        "app.ledger.proof.reconciliation.postings",
        "            if found is None:\n                yield from _forgotten(snapshot, account, posting, clock)\n",
        "            if found is None:\n                continue\n",
        f"{BOOKS}::test_each_lie_is_told",
    ),
    "sums are not compared": Mutant(
        "app.ledger.proof.reconciliation.accounts",
        "    if noted != amount:\n",
        "    if False:\n",
        f"{BOOKS}::test_each_lie_is_told",
    ),
}
