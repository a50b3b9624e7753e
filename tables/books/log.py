"""Dead letters and their life, figures, cut-offs, sources that are silent, configurations, clocks."""

import json
from collections.abc import Iterator

from schemas.records import (
    ConfigDocument,
    CutOff,
    ExceptionRecord,
    Kpi,
    LetterSettled,
    PartitionPosition,
    UpstreamState,
)
from tables.books.entry import BookEntry, Values, at, quantity_of
from tables.letters import letter_id
from tables.quantity import decimal_text


def letter_entry(letter: ExceptionRecord) -> BookEntry:
    headers = {name: value.decode(errors="replace") for name, value in sorted(letter.headers.items())}
    quantity = letter.quantity
    values: Values = {
        "event_id": letter.event_id,
        "stage": letter.stage,
        "code": letter.code,
        "detail": letter.detail,
        "source": letter.source,
        "raw_source": letter.raw_source,
        "raw_offset": letter.raw_offset,
        "original": bytes(letter.original),
        "original_sha256": letter.original_sha256,
        "original_bytes": letter.original_bytes,
        "headers": json.dumps(headers, ensure_ascii=False) if headers else "",
        "kind": letter.kind,
        "quantity": "" if quantity is None else decimal_text(quantity.amount, quantity.scale),
        "unit": "" if quantity is None else quantity.unit,
        "received_at": at(letter.received_at),
    }
    return BookEntry("exceptions", {"plant": letter.plant, "letter": letter_id(letter)}, {"exceptions": [values]})


def settled_entry(settled: LetterSettled) -> BookEntry:
    key = {"plant": settled.plant, "letter": settled.letter, "event_id": settled.event_id, "state": settled.state}
    values: Values = {
        "code": settled.code,
        "who": settled.who,
        "why": settled.why,
        "raw_source": settled.raw_source,
        "raw_offset": settled.raw_offset,
        "at": at(settled.occurred_at),
        "told_at": at(settled.label),
    }
    return BookEntry("exception_events", key, {"exception_events": [values]})


def figure_entry(figure: Kpi) -> BookEntry:
    values: Values = {
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "unit": figure.unit,
        "owner": figure.owner,
        "code": figure.code,
        "as_of": at(figure.as_of),
    }
    return BookEntry("figures", {"plant": figure.plant, "figure": figure.kpi, "subject": figure.subject}, {"figures": [values]})


def cut_off_entry(left: CutOff) -> BookEntry:
    key = {"plant": left.plant, "period": left.period, "account": left.account, "code": left.code}
    values: Values = {
        "order_no": left.order,
        "kind": left.kind,
        **quantity_of(left.amount, left.scale, left.unit),
        "closed_at": at(left.closed_at),
    }
    return BookEntry("cut_offs", key, {"cut_offs": [values]})


def upstream_entry(state: UpstreamState) -> BookEntry:
    values: Values = {
        "source": state.source,
        "silent": state.silent,
        "on_silence": state.on_silence,
        "code": state.code,
        "last_tick": at(state.last_tick),
        "told_at": at(state.label),
    }
    return BookEntry("upstreams", {"plant": state.plant, "upstream": state.upstream}, {"upstreams": [values]})


def configuration_entry(document: ConfigDocument) -> BookEntry:
    values: Values = {
        "plant": document.plant,
        "rule_version": document.rule_version,
        "plant_yaml": document.plant_yaml,
        "rules_yaml": document.rules_yaml,
        "erp_yaml": document.erp_yaml,
    }
    return BookEntry("configurations", {"hash": document.hash}, {"configurations": [values]})


def clock_entries(stage: str, partition: int, position: PartitionPosition) -> Iterator[BookEntry]:
    """Where one partition of a stage stands, for each of its plants."""
    for plant in sorted({*position.reached, *position.configurations}):
        values: Values = {
            "configuration": position.configurations.get(plant, ""),
            "reached_at": at(position.reached.get(plant, 0)),
        }
        yield BookEntry("clocks", {"plant": plant, "stage": stage, "partition": partition}, {"clocks": [values]})
