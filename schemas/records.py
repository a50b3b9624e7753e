"""Records and rows of lineledger as dataclasses. Generated from avro/*.avsc by `python -m schemas.generate`: do not edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class AccountClosedRow:
    """Which sequences of an account are in the ERP; they are never posted again."""

    account: str
    closed: int
    beyond: list[int] = field(default_factory=list)
    born_epoch: int = 0
    at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> AccountClosedRow:
        return AccountClosedRow(
            account=d["account"],
            closed=d["closed"],
            beyond=d["beyond"],
            born_epoch=d["born_epoch"],
            at=d["at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "closed": self.closed,
            "beyond": self.beyond,
            "born_epoch": self.born_epoch,
            "at": self.at,
        }


@dataclass(slots=True)
class Apart:
    """What of an account does not convert into its unit, in the unit that was stated."""

    unit: str
    numerator: int
    denominator: int
    detail: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Apart:
        return Apart(
            unit=d["unit"],
            numerator=d["numerator"],
            denominator=d["denominator"],
            detail=d["detail"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "detail": self.detail,
        }


@dataclass(slots=True)
class Decision:
    """What a person decided about something parked."""

    code: str
    decision: str
    who: str
    why: str
    at: int
    event_id: str
    steps: int | None = None

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Decision:
        return Decision(
            code=d["code"],
            decision=d["decision"],
            who=d["who"],
            why=d["why"],
            at=d["at"],
            event_id=d["event_id"],
            steps=d["steps"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "decision": self.decision,
            "who": self.who,
            "why": self.why,
            "at": self.at,
            "event_id": self.event_id,
            "steps": self.steps,
        }


@dataclass(slots=True)
class Movement:
    """A stock movement in the ERP."""

    type: str
    material: str
    amount: int
    scale: int
    unit: str
    lot: str = ""
    location: str = ""
    derived: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Movement:
        return Movement(
            type=d["type"],
            material=d["material"],
            amount=d["amount"],
            scale=d["scale"],
            unit=d["unit"],
            lot=d["lot"],
            location=d["location"],
            derived=d["derived"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "material": self.material,
            "lot": self.lot,
            "location": self.location,
            "amount": self.amount,
            "scale": self.scale,
            "unit": self.unit,
            "derived": self.derived,
        }


@dataclass(slots=True)
class RawRange:
    """Raw records of one source, from first to last offset, `records` of them used."""

    raw_source: str
    first: int
    last: int
    records: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RawRange:
        return RawRange(
            raw_source=d["raw_source"],
            first=d["first"],
            last=d["last"],
            records=d["records"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "raw_source": self.raw_source,
            "first": self.first,
            "last": self.last,
            "records": self.records,
        }


@dataclass(slots=True)
class IssuedPosting:
    """A posting that left for delivery, and what is known of it."""

    posting_id: str
    sequence: int
    amount: int
    cumulative: int
    cut: int
    rule: str
    rule_version: str
    records: int
    ranges: list[RawRange] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    status: str = "issued"
    erp_document: str = ""
    code: str = ""
    detail: str = ""
    reservation_item: str = ""
    location: str = ""
    posting_date: str = ""
    reverses: str = ""
    replaced_ids: list[str] = field(default_factory=list)
    configuration: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> IssuedPosting:
        return IssuedPosting(
            posting_id=d["posting_id"],
            sequence=d["sequence"],
            amount=d["amount"],
            cumulative=d["cumulative"],
            cut=d["cut"],
            rule=d["rule"],
            rule_version=d["rule_version"],
            records=d["records"],
            ranges=[RawRange.from_avro(v) for v in d["ranges"]],
            movements=[Movement.from_avro(v) for v in d["movements"]],
            status=d["status"],
            erp_document=d["erp_document"],
            code=d["code"],
            detail=d["detail"],
            reservation_item=d["reservation_item"],
            location=d["location"],
            posting_date=d["posting_date"],
            reverses=d["reverses"],
            replaced_ids=d["replaced_ids"],
            configuration=d["configuration"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "posting_id": self.posting_id,
            "sequence": self.sequence,
            "amount": self.amount,
            "cumulative": self.cumulative,
            "cut": self.cut,
            "rule": self.rule,
            "rule_version": self.rule_version,
            "records": self.records,
            "ranges": [v.to_avro() for v in self.ranges],
            "movements": [v.to_avro() for v in self.movements],
            "status": self.status,
            "erp_document": self.erp_document,
            "code": self.code,
            "detail": self.detail,
            "reservation_item": self.reservation_item,
            "location": self.location,
            "posting_date": self.posting_date,
            "reverses": self.reverses,
            "replaced_ids": self.replaced_ids,
            "configuration": self.configuration,
        }


@dataclass(slots=True)
class Correlation:
    """Correlation id of a raw record, as its source states it."""

    id: str
    at: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Correlation:
        return Correlation(
            id=d["id"],
            at=d["at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "at": self.at,
        }


@dataclass(slots=True)
class SourceTotal:
    """Newest total of one source key within an account."""

    kind: str
    authority: str
    numerator: int
    denominator: int
    unit: str
    log_epoch: int
    inbox_offset: int
    fold_version: int
    equipment: str = ""
    run: str = ""
    position: str = ""
    component_material: str = ""
    component_lot: str = ""
    first_at: int = 0
    last_at: int = 0
    records: int = 0
    ranges: list[RawRange] = field(default_factory=list)
    bom_revision: str = ""
    late: bool = False
    correlations: list[Correlation] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> SourceTotal:
        return SourceTotal(
            kind=d["kind"],
            authority=d["authority"],
            numerator=d["numerator"],
            denominator=d["denominator"],
            unit=d["unit"],
            log_epoch=d["log_epoch"],
            inbox_offset=d["inbox_offset"],
            fold_version=d["fold_version"],
            equipment=d["equipment"],
            run=d["run"],
            position=d["position"],
            component_material=d["component_material"],
            component_lot=d["component_lot"],
            first_at=d["first_at"],
            last_at=d["last_at"],
            records=d["records"],
            ranges=[RawRange.from_avro(v) for v in d["ranges"]],
            bom_revision=d["bom_revision"],
            late=d["late"],
            correlations=[Correlation.from_avro(v) for v in d["correlations"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "authority": self.authority,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unit": self.unit,
            "log_epoch": self.log_epoch,
            "inbox_offset": self.inbox_offset,
            "fold_version": self.fold_version,
            "equipment": self.equipment,
            "run": self.run,
            "position": self.position,
            "component_material": self.component_material,
            "component_lot": self.component_lot,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "records": self.records,
            "ranges": [v.to_avro() for v in self.ranges],
            "bom_revision": self.bom_revision,
            "late": self.late,
            "correlations": [v.to_avro() for v in self.correlations],
        }


@dataclass(slots=True)
class AccountRow:
    """Posted and unposted quantity of one business key. I1: recorded = posted + in flight + pending + held + parked + carry."""

    plant: str
    order: str
    operation: str
    material: str
    lot: str
    kind: str
    reason: str
    place: str
    business_date: str
    born_epoch: int
    unit: str = ""
    scale: int = 0
    location: str = ""
    reservation_item: str = ""
    sources: dict[str, SourceTotal] = field(default_factory=dict)
    issued: list[IssuedPosting] = field(default_factory=list)
    posted: int = 0
    sequence: int = 0
    recorded_numerator: int = 0
    recorded_denominator: int = 1
    target: int = 0
    parked: int = 0
    code: str = ""
    detail: str = ""
    covered: bool = False
    override: str = ""
    due_at: int | None = None
    since: int = 0
    at_once: bool = False
    decisions: list[Decision] = field(default_factory=list)
    dropped: bool = False
    apart: list[Apart] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> AccountRow:
        return AccountRow(
            plant=d["plant"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            kind=d["kind"],
            reason=d["reason"],
            place=d["place"],
            business_date=d["business_date"],
            born_epoch=d["born_epoch"],
            unit=d["unit"],
            scale=d["scale"],
            location=d["location"],
            reservation_item=d["reservation_item"],
            sources={k: SourceTotal.from_avro(v) for k, v in d["sources"].items()},
            issued=[IssuedPosting.from_avro(v) for v in d["issued"]],
            posted=d["posted"],
            sequence=d["sequence"],
            recorded_numerator=d["recorded_numerator"],
            recorded_denominator=d["recorded_denominator"],
            target=d["target"],
            parked=d["parked"],
            code=d["code"],
            detail=d["detail"],
            covered=d["covered"],
            override=d["override"],
            due_at=d["due_at"],
            since=d["since"],
            at_once=d["at_once"],
            decisions=[Decision.from_avro(v) for v in d["decisions"]],
            dropped=d["dropped"],
            apart=[Apart.from_avro(v) for v in d["apart"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "kind": self.kind,
            "reason": self.reason,
            "place": self.place,
            "business_date": self.business_date,
            "born_epoch": self.born_epoch,
            "unit": self.unit,
            "scale": self.scale,
            "location": self.location,
            "reservation_item": self.reservation_item,
            "sources": {k: v.to_avro() for k, v in self.sources.items()},
            "issued": [v.to_avro() for v in self.issued],
            "posted": self.posted,
            "sequence": self.sequence,
            "recorded_numerator": self.recorded_numerator,
            "recorded_denominator": self.recorded_denominator,
            "target": self.target,
            "parked": self.parked,
            "code": self.code,
            "detail": self.detail,
            "covered": self.covered,
            "override": self.override,
            "due_at": self.due_at,
            "since": self.since,
            "at_once": self.at_once,
            "decisions": [v.to_avro() for v in self.decisions],
            "dropped": self.dropped,
            "apart": [v.to_avro() for v in self.apart],
        }


@dataclass(slots=True)
class AttemptEnded:
    """What the executor learned from one attempt."""

    posting_id: str
    attempt: int
    result: str
    call: str
    erp_document: str = ""
    duplicate: bool = False
    code: str = ""
    detail: str = ""
    retry_after_ms: int = 0
    scope: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> AttemptEnded:
        return AttemptEnded(
            posting_id=d["posting_id"],
            attempt=d["attempt"],
            result=d["result"],
            call=d["call"],
            erp_document=d["erp_document"],
            duplicate=d["duplicate"],
            code=d["code"],
            detail=d["detail"],
            retry_after_ms=d["retry_after_ms"],
            scope=d["scope"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "posting_id": self.posting_id,
            "attempt": self.attempt,
            "result": self.result,
            "erp_document": self.erp_document,
            "duplicate": self.duplicate,
            "code": self.code,
            "detail": self.detail,
            "retry_after_ms": self.retry_after_ms,
            "call": self.call,
            "scope": self.scope,
        }


@dataclass(slots=True)
class Quantity:
    """An exact decimal quantity: amount x 10^-scale in `unit`."""

    amount: int
    scale: int
    unit: str

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Quantity:
        return Quantity(
            amount=d["amount"],
            scale=d["scale"],
            unit=d["unit"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "amount": self.amount,
            "scale": self.scale,
            "unit": self.unit,
        }


@dataclass(slots=True)
class Component:
    """One component of an order: need = basis x quantity / base."""

    item: str
    operation: str
    material: str
    quantity: Quantity
    mode: str
    position: str = ""
    base: int = 1
    basis: str = "gross"
    issue_location: str = ""
    batch_managed: bool = False
    phantom: bool = False
    parent: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Component:
        return Component(
            item=d["item"],
            operation=d["operation"],
            material=d["material"],
            quantity=Quantity.from_avro(d["quantity"]),
            mode=d["mode"],
            position=d["position"],
            base=d["base"],
            basis=d["basis"],
            issue_location=d["issue_location"],
            batch_managed=d["batch_managed"],
            phantom=d["phantom"],
            parent=d["parent"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "operation": self.operation,
            "position": self.position,
            "material": self.material,
            "quantity": self.quantity.to_avro(),
            "base": self.base,
            "mode": self.mode,
            "basis": self.basis,
            "issue_location": self.issue_location,
            "batch_managed": self.batch_managed,
            "phantom": self.phantom,
            "parent": self.parent,
        }


@dataclass(slots=True)
class BomRevision:
    """Components of an order as one revision of its bill of material had them."""

    revision: str
    components: list[Component]
    until: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> BomRevision:
        return BomRevision(
            revision=d["revision"],
            components=[Component.from_avro(v) for v in d["components"]],
            until=d["until"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "components": [v.to_avro() for v in self.components],
            "until": self.until,
        }


@dataclass(slots=True)
class ClockRepaired:
    """A person said until when the clock of the plant was right: what came behind that counts from there again."""

    plant: str
    at: int
    sender: str
    repair: int
    who: str
    why: str

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ClockRepaired:
        return ClockRepaired(
            plant=d["plant"],
            at=d["at"],
            sender=d["sender"],
            repair=d["repair"],
            who=d["who"],
            why=d["why"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "at": self.at,
            "sender": self.sender,
            "repair": self.repair,
            "who": self.who,
            "why": self.why,
        }


@dataclass(slots=True)
class ConfigActivated:
    """From `at` on, the plant's configuration is `hash`."""

    plant: str
    hash: str
    at: int
    sender: str
    started_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ConfigActivated:
        return ConfigActivated(
            plant=d["plant"],
            hash=d["hash"],
            at=d["at"],
            sender=d["sender"],
            started_at=d["started_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "hash": self.hash,
            "at": self.at,
            "sender": self.sender,
            "started_at": self.started_at,
        }


@dataclass(slots=True)
class ConfigDocument:
    """A validated configuration, stored for ever under its hash."""

    hash: str
    plant: str
    plant_yaml: str
    rules_yaml: str
    erp_yaml: str
    rule_version: str

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ConfigDocument:
        return ConfigDocument(
            hash=d["hash"],
            plant=d["plant"],
            plant_yaml=d["plant_yaml"],
            rules_yaml=d["rules_yaml"],
            erp_yaml=d["erp_yaml"],
            rule_version=d["rule_version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "hash": self.hash,
            "plant": self.plant,
            "plant_yaml": self.plant_yaml,
            "rules_yaml": self.rules_yaml,
            "erp_yaml": self.erp_yaml,
            "rule_version": self.rule_version,
        }


@dataclass(slots=True)
class CountDecision:
    """What a person decided about an undecided count."""

    began_at: int
    decision: str
    who: str
    why: str
    decided_at: int
    event_id: str
    raw_source: str
    raw_offset: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> CountDecision:
        return CountDecision(
            began_at=d["began_at"],
            decision=d["decision"],
            who=d["who"],
            why=d["why"],
            decided_at=d["decided_at"],
            event_id=d["event_id"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "began_at": self.began_at,
            "decision": self.decision,
            "who": self.who,
            "why": self.why,
            "decided_at": self.decided_at,
            "event_id": self.event_id,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
        }


@dataclass(slots=True)
class CountFall:
    """Falls and jumps of a counter within ten minutes: what was made of them."""

    at: int
    was: str
    pieces: int
    times: int = 1

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> CountFall:
        return CountFall(
            at=d["at"],
            was=d["was"],
            pieces=d["pieces"],
            times=d["times"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "was": self.was,
            "pieces": self.pieces,
            "times": self.times,
        }


@dataclass(slots=True)
class CounterFrame:
    """Readings of one counter that arrived in one poll. Never across a tick nor another event of its equipment."""

    plant: str
    equipment: str
    counter: str
    source: str
    raw_source: str
    received_at: int
    label: int
    readings: bytes

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> CounterFrame:
        return CounterFrame(
            plant=d["plant"],
            equipment=d["equipment"],
            counter=d["counter"],
            source=d["source"],
            raw_source=d["raw_source"],
            received_at=d["received_at"],
            label=d["label"],
            readings=d["readings"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "equipment": self.equipment,
            "counter": self.counter,
            "source": self.source,
            "raw_source": self.raw_source,
            "received_at": self.received_at,
            "label": self.label,
            "readings": self.readings,
        }


@dataclass(slots=True)
class FormerDefinition:
    """What a counter was before a configuration redefined it."""

    until: int
    counter: str
    basis: bool

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> FormerDefinition:
        return FormerDefinition(
            until=d["until"],
            counter=d["counter"],
            basis=d["basis"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "until": self.until,
            "counter": self.counter,
            "basis": self.basis,
        }


@dataclass(slots=True)
class Excursion:
    """A count that nobody believes yet, beside the one before it that stands."""

    began_at: int
    shows: int
    held: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Excursion:
        return Excursion(
            began_at=d["began_at"],
            shows=d["shows"],
            held=d["held"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "began_at": self.began_at,
            "shows": self.shows,
            "held": self.held,
        }


@dataclass(slots=True)
class FormerCount:
    """The count before a jump that a person discarded: it may come back."""

    value: int
    at: int
    level: int
    from_value: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> FormerCount:
        return FormerCount(
            value=d["value"],
            at=d["at"],
            level=d["level"],
            from_value=d["from_value"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "at": self.at,
            "level": self.level,
            "from_value": self.from_value,
        }


@dataclass(slots=True)
class PointState:
    """Where a counter stands between two points."""

    value: int | None = None
    low: int | None = None
    low_at: int = 0
    broken_at: int | None = None
    seq: int = -1
    at: int = 0
    level: int = 0
    most: int = 0
    most_us: int = 0
    excursion: Excursion | None = None
    former: FormerCount | None = None

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> PointState:
        return PointState(
            value=d["value"],
            low=d["low"],
            low_at=d["low_at"],
            broken_at=d["broken_at"],
            seq=d["seq"],
            at=d["at"],
            level=d["level"],
            most=d["most"],
            most_us=d["most_us"],
            excursion=None if d["excursion"] is None else Excursion.from_avro(d["excursion"]),
            former=None if d["former"] is None else FormerCount.from_avro(d["former"]),
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "low_at": self.low_at,
            "broken_at": self.broken_at,
            "seq": self.seq,
            "at": self.at,
            "level": self.level,
            "most": self.most,
            "most_us": self.most_us,
            "excursion": None if self.excursion is None else self.excursion.to_avro(),
            "former": None if self.former is None else self.former.to_avro(),
        }


@dataclass(slots=True)
class CounterState:
    """Head of one counter."""

    tail: PointState
    base: PointState
    last_at: int = 0
    last_seq: int = -1
    last_raw: int = -1
    high_seq: int = -1
    oldest_bucket: int = 0
    newest_bucket: int = 0
    falls: list[CountFall] = field(default_factory=list)
    decisions: list[CountDecision] = field(default_factory=list)
    former: list[FormerDefinition] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> CounterState:
        return CounterState(
            tail=PointState.from_avro(d["tail"]),
            base=PointState.from_avro(d["base"]),
            last_at=d["last_at"],
            last_seq=d["last_seq"],
            last_raw=d["last_raw"],
            high_seq=d["high_seq"],
            oldest_bucket=d["oldest_bucket"],
            newest_bucket=d["newest_bucket"],
            falls=[CountFall.from_avro(v) for v in d["falls"]],
            decisions=[CountDecision.from_avro(v) for v in d["decisions"]],
            former=[FormerDefinition.from_avro(v) for v in d["former"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "tail": self.tail.to_avro(),
            "base": self.base.to_avro(),
            "last_at": self.last_at,
            "last_seq": self.last_seq,
            "last_raw": self.last_raw,
            "high_seq": self.high_seq,
            "oldest_bucket": self.oldest_bucket,
            "newest_bucket": self.newest_bucket,
            "falls": [v.to_avro() for v in self.falls],
            "decisions": [v.to_avro() for v in self.decisions],
            "former": [v.to_avro() for v in self.former],
        }


@dataclass(slots=True)
class CutOff:
    """Public: what an account left behind when a period closed."""

    plant: str
    period: str
    account: str
    order: str
    kind: str
    code: str
    unit: str
    scale: int
    amount: int
    closed_at: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> CutOff:
        return CutOff(
            plant=d["plant"],
            period=d["period"],
            account=d["account"],
            order=d["order"],
            kind=d["kind"],
            code=d["code"],
            unit=d["unit"],
            scale=d["scale"],
            amount=d["amount"],
            closed_at=d["closed_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "period": self.period,
            "account": self.account,
            "order": self.order,
            "kind": self.kind,
            "code": self.code,
            "unit": self.unit,
            "scale": self.scale,
            "amount": self.amount,
            "closed_at": self.closed_at,
        }


@dataclass(slots=True)
class Share:
    """What one bucket (or declaration) gives to one destination."""

    destination: str
    amount: int
    records: int
    first_at: int
    last_at: int
    ranges: list[RawRange] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Share:
        return Share(
            destination=d["destination"],
            amount=d["amount"],
            records=d["records"],
            first_at=d["first_at"],
            last_at=d["last_at"],
            ranges=[RawRange.from_avro(v) for v in d["ranges"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "destination": self.destination,
            "amount": self.amount,
            "records": self.records,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "ranges": [v.to_avro() for v in self.ranges],
        }


@dataclass(slots=True)
class DeclarationRow:
    """A declaration, kept for de-duplication and re-attribution."""

    record: str
    occurred_at: int
    amount: int
    scale: int
    unit: str
    raw_source: str
    raw_offset: int
    run: str = ""
    order: str = ""
    operation: str = ""
    material: str = ""
    lot: str = ""
    reason: str = ""
    of: str = ""
    as_kind: str = ""
    position: str = ""
    shares: list[Share] = field(default_factory=list)
    source_seq: int = -1
    raw_part: int = 0
    correlation_id: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> DeclarationRow:
        return DeclarationRow(
            record=d["record"],
            occurred_at=d["occurred_at"],
            amount=d["amount"],
            scale=d["scale"],
            unit=d["unit"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            run=d["run"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            reason=d["reason"],
            of=d["of"],
            as_kind=d["as_kind"],
            position=d["position"],
            shares=[Share.from_avro(v) for v in d["shares"]],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            correlation_id=d["correlation_id"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "record": self.record,
            "occurred_at": self.occurred_at,
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "amount": self.amount,
            "scale": self.scale,
            "unit": self.unit,
            "reason": self.reason,
            "of": self.of,
            "as_kind": self.as_kind,
            "position": self.position,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "shares": [v.to_avro() for v in self.shares],
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "correlation_id": self.correlation_id,
        }


@dataclass(slots=True)
class DispositionDecided:
    """What becomes of a lot."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    disposition: str
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> DispositionDecided:
        return DispositionDecided(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            disposition=d["disposition"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "disposition": self.disposition,
        }


@dataclass(slots=True)
class EndpointOrdered:
    """A person said what may be sent to the ERP."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    mode: str
    who: str
    why: str
    correlation_id: str = ""
    label: int = 0
    endpoint: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> EndpointOrdered:
        return EndpointOrdered(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            mode=d["mode"],
            who=d["who"],
            why=d["why"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            endpoint=d["endpoint"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "mode": self.mode,
            "who": self.who,
            "why": self.why,
            "endpoint": self.endpoint,
        }


@dataclass(slots=True)
class EndpointRow:
    """What people said may be sent to an ERP."""

    mode: str
    orders: list[Decision] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> EndpointRow:
        return EndpointRow(
            mode=d["mode"],
            orders=[Decision.from_avro(v) for v in d["orders"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "orders": [v.to_avro() for v in self.orders],
        }


@dataclass(slots=True)
class EntryVoided:
    """A load, an unload, a state change or a log-in never was."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    entry: str
    version: int
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    copy: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> EntryVoided:
        return EntryVoided(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            entry=d["entry"],
            version=d["version"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            copy=d["copy"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "entry": self.entry,
            "version": self.version,
            "copy": self.copy,
        }


@dataclass(slots=True)
class LabourMark:
    """From `at` on, a person (a keyed hash) gives this share of the time to the equipment; 0: logged off."""

    at: int
    person: str
    numerator: int
    denominator: int
    event_id: str
    raw_source: str = ""
    raw_offset: int = 0
    source_seq: int = -1
    raw_part: int = 0
    entry: str = ""
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LabourMark:
        return LabourMark(
            at=d["at"],
            person=d["person"],
            numerator=d["numerator"],
            denominator=d["denominator"],
            event_id=d["event_id"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            entry=d["entry"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "person": self.person,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "event_id": self.event_id,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "entry": self.entry,
            "version": self.version,
        }


@dataclass(slots=True)
class LotLoad:
    """A component lot at a position from `from_at` on; empty lot: unloaded."""

    position: str
    from_at: int
    event_id: str
    material: str = ""
    lot: str = ""
    raw_source: str = ""
    raw_offset: int = 0
    source_seq: int = -1
    raw_part: int = 0
    entry: str = ""
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotLoad:
        return LotLoad(
            position=d["position"],
            from_at=d["from_at"],
            event_id=d["event_id"],
            material=d["material"],
            lot=d["lot"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            entry=d["entry"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "position": self.position,
            "material": self.material,
            "lot": self.lot,
            "from_at": self.from_at,
            "event_id": self.event_id,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "entry": self.entry,
            "version": self.version,
        }


@dataclass(slots=True)
class Output:
    """One output of a run: what one count makes."""

    material: str
    order: str = ""
    order_item: str = ""
    lot: str = ""
    factor: int = 1
    role: str = "main"

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Output:
        return Output(
            material=d["material"],
            order=d["order"],
            order_item=d["order_item"],
            lot=d["lot"],
            factor=d["factor"],
            role=d["role"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "order": self.order,
            "order_item": self.order_item,
            "material": self.material,
            "lot": self.lot,
            "factor": self.factor,
            "role": self.role,
        }


@dataclass(slots=True)
class RunSegment:
    """From `from_at` on, one count of the run makes these outputs."""

    from_at: int
    version: int
    outputs: list[Output]
    event_id: str = ""
    start: bool = False
    raw_source: str = ""
    raw_offset: int = 0
    source_seq: int = -1
    raw_part: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RunSegment:
        return RunSegment(
            from_at=d["from_at"],
            version=d["version"],
            outputs=[Output.from_avro(v) for v in d["outputs"]],
            event_id=d["event_id"],
            start=d["start"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "from_at": self.from_at,
            "version": self.version,
            "outputs": [v.to_avro() for v in self.outputs],
            "event_id": self.event_id,
            "start": self.start,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
        }


@dataclass(slots=True)
class Stated:
    """Which statement about a run is the newest: version, then people before machines, then time, then what was told later."""

    version: int
    by_people: bool
    at: int
    event_id: str
    raw_source: str = ""
    raw_offset: int = 0
    source_seq: int = -1
    raw_part: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Stated:
        return Stated(
            version=d["version"],
            by_people=d["by_people"],
            at=d["at"],
            event_id=d["event_id"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "by_people": self.by_people,
            "at": self.at,
            "event_id": self.event_id,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
        }


@dataclass(slots=True)
class RunState:
    """One run of an equipment: of each thing that was said of it the newest statement."""

    run: str
    order: str = ""
    operation: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    voided: bool = False
    bom_revision: str = ""
    segments: list[RunSegment] = field(default_factory=list)
    corrected: RunSegment | None = None
    stated: dict[str, Stated] = field(default_factory=dict)
    correlation_id: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RunState:
        return RunState(
            run=d["run"],
            order=d["order"],
            operation=d["operation"],
            started_at=d["started_at"],
            ended_at=d["ended_at"],
            voided=d["voided"],
            bom_revision=d["bom_revision"],
            segments=[RunSegment.from_avro(v) for v in d["segments"]],
            corrected=None if d["corrected"] is None else RunSegment.from_avro(d["corrected"]),
            stated={k: Stated.from_avro(v) for k, v in d["stated"].items()},
            correlation_id=d["correlation_id"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "voided": self.voided,
            "bom_revision": self.bom_revision,
            "segments": [v.to_avro() for v in self.segments],
            "corrected": None if self.corrected is None else self.corrected.to_avro(),
            "stated": {k: v.to_avro() for k, v in self.stated.items()},
            "correlation_id": self.correlation_id,
        }


@dataclass(slots=True)
class SourceHeard:
    """What an equipment has heard of a source that is expected to speak."""

    label: int
    at: int
    silent: bool = False
    stands_at: int = 0
    back_at: int = 0
    next_stands_at: int = 0
    next_back_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> SourceHeard:
        return SourceHeard(
            label=d["label"],
            at=d["at"],
            silent=d["silent"],
            stands_at=d["stands_at"],
            back_at=d["back_at"],
            next_stands_at=d["next_stands_at"],
            next_back_at=d["next_back_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "at": self.at,
            "silent": self.silent,
            "stands_at": self.stands_at,
            "back_at": self.back_at,
            "next_stands_at": self.next_stands_at,
            "next_back_at": self.next_back_at,
        }


@dataclass(slots=True)
class StateSpan:
    """The equipment is in `state` from `from_at` on."""

    from_at: int
    state: str
    event_id: str
    reason: str = ""
    raw_source: str = ""
    raw_offset: int = 0
    source_seq: int = -1
    raw_part: int = 0
    entry: str = ""
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> StateSpan:
        return StateSpan(
            from_at=d["from_at"],
            state=d["state"],
            event_id=d["event_id"],
            reason=d["reason"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            entry=d["entry"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "from_at": self.from_at,
            "state": self.state,
            "reason": self.reason,
            "event_id": self.event_id,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "entry": self.entry,
            "version": self.version,
        }


@dataclass(slots=True)
class TotalState:
    """Cumulative amount of one destination of one equipment."""

    amount: int
    records: int
    first_at: int = 0
    last_at: int = 0
    ranges: list[RawRange] = field(default_factory=list)
    sent: bool = False
    dirty: bool = False
    correlations: list[Correlation] = field(default_factory=list)
    made_from: int = 0
    made_to: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> TotalState:
        return TotalState(
            amount=d["amount"],
            records=d["records"],
            first_at=d["first_at"],
            last_at=d["last_at"],
            ranges=[RawRange.from_avro(v) for v in d["ranges"]],
            sent=d["sent"],
            dirty=d["dirty"],
            correlations=[Correlation.from_avro(v) for v in d["correlations"]],
            made_from=d["made_from"],
            made_to=d["made_to"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "amount": self.amount,
            "records": self.records,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "ranges": [v.to_avro() for v in self.ranges],
            "sent": self.sent,
            "dirty": self.dirty,
            "correlations": [v.to_avro() for v in self.correlations],
            "made_from": self.made_from,
            "made_to": self.made_to,
        }


@dataclass(slots=True)
class EquipmentRow:
    """Head row of one equipment."""

    plant: str
    equipment: str
    born_epoch: int
    revision: int = 0
    clock: int = 0
    counters: dict[str, CounterState] = field(default_factory=dict)
    runs: list[RunState] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)
    stop_places: dict[str, Stated] = field(default_factory=dict)
    loads: list[LotLoad] = field(default_factory=list)
    states: list[StateSpan] = field(default_factory=list)
    labour: list[LabourMark] = field(default_factory=list)
    totals: dict[str, TotalState] = field(default_factory=dict)
    edges: list[str] = field(default_factory=list)
    activity_dirty: bool = False
    activity_open: bool = True
    tally: dict[str, int] = field(default_factory=dict)
    voids: dict[str, Stated] = field(default_factory=dict)
    first_at: int = 0
    forgotten_before: int = 0
    sources: dict[str, SourceHeard] = field(default_factory=dict)
    standing: int = 0
    activities_from: str = ""
    made_revision: int = -1

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> EquipmentRow:
        return EquipmentRow(
            plant=d["plant"],
            equipment=d["equipment"],
            born_epoch=d["born_epoch"],
            revision=d["revision"],
            clock=d["clock"],
            counters={k: CounterState.from_avro(v) for k, v in d["counters"].items()},
            runs=[RunState.from_avro(v) for v in d["runs"]],
            stops=d["stops"],
            stop_places={k: Stated.from_avro(v) for k, v in d["stop_places"].items()},
            loads=[LotLoad.from_avro(v) for v in d["loads"]],
            states=[StateSpan.from_avro(v) for v in d["states"]],
            labour=[LabourMark.from_avro(v) for v in d["labour"]],
            totals={k: TotalState.from_avro(v) for k, v in d["totals"].items()},
            edges=d["edges"],
            activity_dirty=d["activity_dirty"],
            activity_open=d["activity_open"],
            tally=d["tally"],
            voids={k: Stated.from_avro(v) for k, v in d["voids"].items()},
            first_at=d["first_at"],
            forgotten_before=d["forgotten_before"],
            sources={k: SourceHeard.from_avro(v) for k, v in d["sources"].items()},
            standing=d["standing"],
            activities_from=d["activities_from"],
            made_revision=d["made_revision"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "equipment": self.equipment,
            "born_epoch": self.born_epoch,
            "revision": self.revision,
            "clock": self.clock,
            "counters": {k: v.to_avro() for k, v in self.counters.items()},
            "runs": [v.to_avro() for v in self.runs],
            "stops": self.stops,
            "stop_places": {k: v.to_avro() for k, v in self.stop_places.items()},
            "loads": [v.to_avro() for v in self.loads],
            "states": [v.to_avro() for v in self.states],
            "labour": [v.to_avro() for v in self.labour],
            "totals": {k: v.to_avro() for k, v in self.totals.items()},
            "edges": self.edges,
            "activity_dirty": self.activity_dirty,
            "activity_open": self.activity_open,
            "tally": self.tally,
            "voids": {k: v.to_avro() for k, v in self.voids.items()},
            "first_at": self.first_at,
            "forgotten_before": self.forgotten_before,
            "sources": {k: v.to_avro() for k, v in self.sources.items()},
            "standing": self.standing,
            "activities_from": self.activities_from,
            "made_revision": self.made_revision,
        }


@dataclass(slots=True)
class EquipmentStateChanged:
    """The equipment went into a state."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    state: str
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    reason: str = ""
    entry: str = ""
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> EquipmentStateChanged:
        return EquipmentStateChanged(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            state=d["state"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            reason=d["reason"],
            entry=d["entry"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "state": self.state,
            "reason": self.reason,
            "entry": self.entry,
            "version": self.version,
        }


@dataclass(slots=True)
class ErpHeld:
    """What an answer of the ERP, or its silence, means for all calls."""

    until: int
    kind: str = "held"
    code: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ErpHeld:
        return ErpHeld(
            until=d["until"],
            kind=d["kind"],
            code=d["code"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "until": self.until,
            "kind": self.kind,
            "code": self.code,
        }


@dataclass(slots=True)
class ExceptionRecord:
    """A record that could not be processed: code, position and original."""

    event_id: str
    plant: str
    stage: str
    code: str
    detail: str
    source: str
    raw_source: str
    raw_offset: int
    original: bytes
    original_sha256: str
    original_bytes: int
    headers: dict[str, bytes] = field(default_factory=dict)
    quantity: Quantity | None = None
    kind: str = ""
    received_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ExceptionRecord:
        return ExceptionRecord(
            event_id=d["event_id"],
            plant=d["plant"],
            stage=d["stage"],
            code=d["code"],
            detail=d["detail"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            original=d["original"],
            original_sha256=d["original_sha256"],
            original_bytes=d["original_bytes"],
            headers=d["headers"],
            quantity=None if d["quantity"] is None else Quantity.from_avro(d["quantity"]),
            kind=d["kind"],
            received_at=d["received_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "stage": self.stage,
            "code": self.code,
            "detail": self.detail,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "original": self.original,
            "original_sha256": self.original_sha256,
            "original_bytes": self.original_bytes,
            "headers": self.headers,
            "quantity": None if self.quantity is None else self.quantity.to_avro(),
            "kind": self.kind,
            "received_at": self.received_at,
        }


@dataclass(slots=True)
class Exemption:
    """A hold that does not stop this lot; the highest version per hold wins."""

    hold: str
    version: int
    active: bool
    label: int
    occurred_at: int
    reason: str = ""
    who: str = ""
    correlation_id: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Exemption:
        return Exemption(
            hold=d["hold"],
            version=d["version"],
            active=d["active"],
            label=d["label"],
            occurred_at=d["occurred_at"],
            reason=d["reason"],
            who=d["who"],
            correlation_id=d["correlation_id"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "hold": self.hold,
            "version": self.version,
            "active": self.active,
            "label": self.label,
            "occurred_at": self.occurred_at,
            "reason": self.reason,
            "who": self.who,
            "correlation_id": self.correlation_id,
        }


@dataclass(slots=True)
class FormerConversions:
    """Conversions of a material as they held until others were told."""

    conversions: list[str]
    since: int
    known_at: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> FormerConversions:
        return FormerConversions(
            conversions=d["conversions"],
            since=d["since"],
            known_at=d["known_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "conversions": self.conversions,
            "since": self.since,
            "known_at": self.known_at,
        }


@dataclass(slots=True)
class GenealogyEdge:
    """Component lot went into output lot."""

    plant: str
    parent_material: str
    parent_lot: str
    child_material: str
    child_lot: str
    order: str
    first_at: int
    label: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> GenealogyEdge:
        return GenealogyEdge(
            plant=d["plant"],
            parent_material=d["parent_material"],
            parent_lot=d["parent_lot"],
            child_material=d["child_material"],
            child_lot=d["child_lot"],
            order=d["order"],
            first_at=d["first_at"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "parent_material": self.parent_material,
            "parent_lot": self.parent_lot,
            "child_material": self.child_material,
            "child_lot": self.child_lot,
            "order": self.order,
            "first_at": self.first_at,
            "label": self.label,
        }


@dataclass(slots=True)
class Heard:
    """An upstream was heard: what the other intakes had told by then."""

    plant: str
    upstream: str
    clocks: dict[str, int]

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Heard:
        return Heard(
            plant=d["plant"],
            upstream=d["upstream"],
            clocks=d["clocks"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "upstream": self.upstream,
            "clocks": self.clocks,
        }


@dataclass(slots=True)
class HoldChange:
    """A lot went on hold or came free."""

    at: int
    held: bool

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> HoldChange:
        return HoldChange(
            at=d["at"],
            held=d["held"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "held": self.held,
        }


@dataclass(slots=True)
class HoldExempted:
    """A hold that does not stop this one lot, whatever it came from; the highest version per hold and lot wins."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    hold: str
    version: int
    correlation_id: str = ""
    label: int = 0
    revoked: bool = False
    reason: str = ""
    who: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> HoldExempted:
        return HoldExempted(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            hold=d["hold"],
            version=d["version"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            revoked=d["revoked"],
            reason=d["reason"],
            who=d["who"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "hold": self.hold,
            "version": self.version,
            "revoked": self.revoked,
            "reason": self.reason,
            "who": self.who,
        }


@dataclass(slots=True)
class HoldForwarded:
    """A hold (or its release) travels to a child lot."""

    plant: str
    material: str
    lot: str
    hold: str
    version: int
    active: bool
    origin: str
    label: int
    severity: str = "block"

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> HoldForwarded:
        return HoldForwarded(
            plant=d["plant"],
            material=d["material"],
            lot=d["lot"],
            hold=d["hold"],
            version=d["version"],
            active=d["active"],
            origin=d["origin"],
            label=d["label"],
            severity=d["severity"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "material": self.material,
            "lot": self.lot,
            "hold": self.hold,
            "version": self.version,
            "active": self.active,
            "severity": self.severity,
            "origin": self.origin,
            "label": self.label,
        }


@dataclass(slots=True)
class HoldPlaced:
    """A hold on a lot; the highest version per hold and lot wins."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    hold: str
    version: int
    correlation_id: str = ""
    label: int = 0
    severity: str = "block"
    reason: str = ""
    who: str = ""
    scope: str = ""
    from_at: int = 0
    to_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> HoldPlaced:
        return HoldPlaced(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            hold=d["hold"],
            version=d["version"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            severity=d["severity"],
            reason=d["reason"],
            who=d["who"],
            scope=d["scope"],
            from_at=d["from_at"],
            to_at=d["to_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "hold": self.hold,
            "version": self.version,
            "severity": self.severity,
            "reason": self.reason,
            "who": self.who,
            "scope": self.scope,
            "from_at": self.from_at,
            "to_at": self.to_at,
        }


@dataclass(slots=True)
class HoldReleased:
    """A hold was released."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    hold: str
    version: int
    correlation_id: str = ""
    label: int = 0
    reason: str = ""
    who: str = ""
    scope: str = ""
    from_at: int = 0
    to_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> HoldReleased:
        return HoldReleased(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            hold=d["hold"],
            version=d["version"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            reason=d["reason"],
            who=d["who"],
            scope=d["scope"],
            from_at=d["from_at"],
            to_at=d["to_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "hold": self.hold,
            "version": self.version,
            "reason": self.reason,
            "who": self.who,
            "scope": self.scope,
            "from_at": self.from_at,
            "to_at": self.to_at,
        }


@dataclass(slots=True)
class HoldState:
    """One hold of one origin on a lot, active or released; the highest version wins."""

    hold: str
    version: int
    active: bool
    severity: str
    origin: str
    label: int
    occurred_at: int = 0
    reason: str = ""
    who: str = ""
    correlation_id: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> HoldState:
        return HoldState(
            hold=d["hold"],
            version=d["version"],
            active=d["active"],
            severity=d["severity"],
            origin=d["origin"],
            label=d["label"],
            occurred_at=d["occurred_at"],
            reason=d["reason"],
            who=d["who"],
            correlation_id=d["correlation_id"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "hold": self.hold,
            "version": self.version,
            "active": self.active,
            "severity": self.severity,
            "origin": self.origin,
            "label": self.label,
            "occurred_at": self.occurred_at,
            "reason": self.reason,
            "who": self.who,
            "correlation_id": self.correlation_id,
        }


@dataclass(slots=True)
class InspectionRecorded:
    """An inspection result."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    inspection: str
    verdict: str
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> InspectionRecorded:
        return InspectionRecorded(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            inspection=d["inspection"],
            verdict=d["verdict"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "inspection": self.inspection,
            "verdict": self.verdict,
        }


@dataclass(slots=True)
class InspectionRequested:
    """An inspection of a lot was asked for."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    inspection: str
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> InspectionRequested:
        return InspectionRequested(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            inspection=d["inspection"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "inspection": self.inspection,
        }


@dataclass(slots=True)
class JournalEntry:
    """Readings of one counter from one raw source, in the order of their arrival."""

    counter: str
    raw_source: str
    told: int
    packed: bytes

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> JournalEntry:
        return JournalEntry(
            counter=d["counter"],
            raw_source=d["raw_source"],
            told=d["told"],
            packed=d["packed"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "counter": self.counter,
            "raw_source": self.raw_source,
            "told": self.told,
            "packed": self.packed,
        }


@dataclass(slots=True)
class JournalRow:
    """What the rows of one equipment do not say yet: readings that came since they were put."""

    clock: int
    told: bool
    entries: list[JournalEntry]
    sources: dict[str, SourceHeard] = field(default_factory=dict)
    standing: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> JournalRow:
        return JournalRow(
            clock=d["clock"],
            told=d["told"],
            entries=[JournalEntry.from_avro(v) for v in d["entries"]],
            sources={k: SourceHeard.from_avro(v) for k, v in d["sources"].items()},
            standing=d["standing"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "clock": self.clock,
            "told": self.told,
            "entries": [v.to_avro() for v in self.entries],
            "sources": {k: v.to_avro() for k, v in self.sources.items()},
            "standing": self.standing,
        }


@dataclass(slots=True)
class Kpi:
    """Public: one figure of one subject, from log time alone. The newest as_of holds."""

    plant: str
    kpi: str
    subject: str
    numerator: int
    denominator: int
    unit: str
    as_of: int
    owner: str = ""
    code: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Kpi:
        return Kpi(
            plant=d["plant"],
            kpi=d["kpi"],
            subject=d["subject"],
            numerator=d["numerator"],
            denominator=d["denominator"],
            unit=d["unit"],
            as_of=d["as_of"],
            owner=d["owner"],
            code=d["code"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "kpi": self.kpi,
            "subject": self.subject,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unit": self.unit,
            "owner": self.owner,
            "code": self.code,
            "as_of": self.as_of,
        }


@dataclass(slots=True)
class LabourRecorded:
    """A person logged on or off; the person is a keyed hash."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    person: str
    action: str
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    share_numerator: int = 1
    share_denominator: int = 1
    entry: str = ""
    version: int = 0
    copy: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LabourRecorded:
        return LabourRecorded(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            person=d["person"],
            action=d["action"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            share_numerator=d["share_numerator"],
            share_denominator=d["share_denominator"],
            entry=d["entry"],
            version=d["version"],
            copy=d["copy"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "person": self.person,
            "action": self.action,
            "share_numerator": self.share_numerator,
            "share_denominator": self.share_denominator,
            "entry": self.entry,
            "version": self.version,
            "copy": self.copy,
        }


@dataclass(slots=True)
class LabourRow:
    """Log-ins at one equipment of the plant, as every partition of the stage knows them."""

    plant: str
    equipment: str
    labour: list[LabourMark] = field(default_factory=list)
    voids: dict[str, Stated] = field(default_factory=dict)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LabourRow:
        return LabourRow(
            plant=d["plant"],
            equipment=d["equipment"],
            labour=[LabourMark.from_avro(v) for v in d["labour"]],
            voids={k: Stated.from_avro(v) for k, v in d["voids"].items()},
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "equipment": self.equipment,
            "labour": [v.to_avro() for v in self.labour],
            "voids": {k: v.to_avro() for k, v in self.voids.items()},
        }


@dataclass(slots=True)
class LedgerSource:
    """What one source says of an account: a counter of a run, a declaration."""

    source: str
    kind: str
    numerator: int
    denominator: int
    unit: str
    authority: str = ""
    equipment: str = ""
    run: str = ""
    position: str = ""
    component_material: str = ""
    component_lot: str = ""
    first_at: int = 0
    last_at: int = 0
    records: int = 0
    ranges: list[RawRange] = field(default_factory=list)
    bom_revision: str = ""
    late: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LedgerSource:
        return LedgerSource(
            source=d["source"],
            kind=d["kind"],
            numerator=d["numerator"],
            denominator=d["denominator"],
            unit=d["unit"],
            authority=d["authority"],
            equipment=d["equipment"],
            run=d["run"],
            position=d["position"],
            component_material=d["component_material"],
            component_lot=d["component_lot"],
            first_at=d["first_at"],
            last_at=d["last_at"],
            records=d["records"],
            ranges=[RawRange.from_avro(v) for v in d["ranges"]],
            bom_revision=d["bom_revision"],
            late=d["late"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "kind": self.kind,
            "authority": self.authority,
            "equipment": self.equipment,
            "run": self.run,
            "position": self.position,
            "component_material": self.component_material,
            "component_lot": self.component_lot,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unit": self.unit,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "records": self.records,
            "ranges": [v.to_avro() for v in self.ranges],
            "bom_revision": self.bom_revision,
            "late": self.late,
        }


@dataclass(slots=True)
class LedgerAccount:
    """Public: what is recorded, posted, parked and pending of one business key. The newest record of an account holds."""

    plant: str
    account: str
    order: str
    operation: str
    material: str
    lot: str
    kind: str
    reason: str
    place: str
    business_date: str
    location: str = ""
    unit: str = ""
    scale: int = 0
    recorded_numerator: int = 0
    recorded_denominator: int = 1
    target: int = 0
    posted: int = 0
    parked: int = 0
    pending: int = 0
    code: str = ""
    detail: str = ""
    covered: bool = False
    dropped: bool = False
    sequence: int = 0
    since: int = 0
    due_at: int = 0
    sources: list[LedgerSource] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LedgerAccount:
        return LedgerAccount(
            plant=d["plant"],
            account=d["account"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            kind=d["kind"],
            reason=d["reason"],
            place=d["place"],
            business_date=d["business_date"],
            location=d["location"],
            unit=d["unit"],
            scale=d["scale"],
            recorded_numerator=d["recorded_numerator"],
            recorded_denominator=d["recorded_denominator"],
            target=d["target"],
            posted=d["posted"],
            parked=d["parked"],
            pending=d["pending"],
            code=d["code"],
            detail=d["detail"],
            covered=d["covered"],
            dropped=d["dropped"],
            sequence=d["sequence"],
            since=d["since"],
            due_at=d["due_at"],
            sources=[LedgerSource.from_avro(v) for v in d["sources"]],
            apart=[Apart.from_avro(v) for v in d["apart"]],
            decisions=[Decision.from_avro(v) for v in d["decisions"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "account": self.account,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "kind": self.kind,
            "reason": self.reason,
            "place": self.place,
            "business_date": self.business_date,
            "location": self.location,
            "unit": self.unit,
            "scale": self.scale,
            "recorded_numerator": self.recorded_numerator,
            "recorded_denominator": self.recorded_denominator,
            "target": self.target,
            "posted": self.posted,
            "parked": self.parked,
            "pending": self.pending,
            "code": self.code,
            "detail": self.detail,
            "covered": self.covered,
            "dropped": self.dropped,
            "sequence": self.sequence,
            "since": self.since,
            "due_at": self.due_at,
            "sources": [v.to_avro() for v in self.sources],
            "apart": [v.to_avro() for v in self.apart],
            "decisions": [v.to_avro() for v in self.decisions],
        }


@dataclass(slots=True)
class Posting:
    """One quantity for the ERP. Content never changes under its id."""

    posting_id: str
    plant: str
    endpoint: str
    account: str
    order: str
    operation: str
    material: str
    kind: str
    business_date: str
    amount: int
    scale: int
    unit: str
    cumulative: int
    sequence: int
    rule: str
    rule_version: str
    cut: int
    content_hash: str
    records: int
    label: int
    lot: str = ""
    reason: str = ""
    location: str = ""
    reservation_item: str = ""
    revision: int = 0
    movements: list[Movement] = field(default_factory=list)
    ranges: list[RawRange] = field(default_factory=list)
    final: bool = False
    correlation_ids: list[str] = field(default_factory=list)
    posting_date: str = ""
    reverses: str = ""
    born_epoch: int = 0
    waited_since: int = 0
    missing_sources: list[str] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Posting:
        return Posting(
            posting_id=d["posting_id"],
            plant=d["plant"],
            endpoint=d["endpoint"],
            account=d["account"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            kind=d["kind"],
            business_date=d["business_date"],
            amount=d["amount"],
            scale=d["scale"],
            unit=d["unit"],
            cumulative=d["cumulative"],
            sequence=d["sequence"],
            rule=d["rule"],
            rule_version=d["rule_version"],
            cut=d["cut"],
            content_hash=d["content_hash"],
            records=d["records"],
            label=d["label"],
            lot=d["lot"],
            reason=d["reason"],
            location=d["location"],
            reservation_item=d["reservation_item"],
            revision=d["revision"],
            movements=[Movement.from_avro(v) for v in d["movements"]],
            ranges=[RawRange.from_avro(v) for v in d["ranges"]],
            final=d["final"],
            correlation_ids=d["correlation_ids"],
            posting_date=d["posting_date"],
            reverses=d["reverses"],
            born_epoch=d["born_epoch"],
            waited_since=d["waited_since"],
            missing_sources=d["missing_sources"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "posting_id": self.posting_id,
            "plant": self.plant,
            "endpoint": self.endpoint,
            "account": self.account,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "kind": self.kind,
            "reason": self.reason,
            "location": self.location,
            "reservation_item": self.reservation_item,
            "business_date": self.business_date,
            "amount": self.amount,
            "scale": self.scale,
            "unit": self.unit,
            "cumulative": self.cumulative,
            "sequence": self.sequence,
            "revision": self.revision,
            "rule": self.rule,
            "rule_version": self.rule_version,
            "cut": self.cut,
            "content_hash": self.content_hash,
            "movements": [v.to_avro() for v in self.movements],
            "records": self.records,
            "ranges": [v.to_avro() for v in self.ranges],
            "final": self.final,
            "correlation_ids": self.correlation_ids,
            "label": self.label,
            "posting_date": self.posting_date,
            "reverses": self.reverses,
            "born_epoch": self.born_epoch,
            "waited_since": self.waited_since,
            "missing_sources": self.missing_sources,
        }


@dataclass(slots=True)
class PostingStep:
    """A posting came into a state."""

    state: str
    at: int
    code: str = ""
    attempt: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> PostingStep:
        return PostingStep(
            state=d["state"],
            at=d["at"],
            code=d["code"],
            attempt=d["attempt"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "at": self.at,
            "code": self.code,
            "attempt": self.attempt,
        }


@dataclass(slots=True)
class LedgerPosting:
    """Public: a posting, where it stands, and how it came there. The newest record of an id holds."""

    posting: Posting
    state: str
    code: str = ""
    detail: str = ""
    erp_document: str = ""
    attempts: int = 0
    read_backs: int = 0
    gate: str = ""
    stock_type: str = ""
    document: str = ""
    replaced_by: str = ""
    configuration: str = ""
    waited_us: int = 0
    steps: list[PostingStep] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LedgerPosting:
        return LedgerPosting(
            posting=Posting.from_avro(d["posting"]),
            state=d["state"],
            code=d["code"],
            detail=d["detail"],
            erp_document=d["erp_document"],
            attempts=d["attempts"],
            read_backs=d["read_backs"],
            gate=d["gate"],
            stock_type=d["stock_type"],
            document=d["document"],
            replaced_by=d["replaced_by"],
            configuration=d["configuration"],
            waited_us=d["waited_us"],
            steps=[PostingStep.from_avro(v) for v in d["steps"]],
            decisions=[Decision.from_avro(v) for v in d["decisions"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "posting": self.posting.to_avro(),
            "state": self.state,
            "code": self.code,
            "detail": self.detail,
            "erp_document": self.erp_document,
            "attempts": self.attempts,
            "read_backs": self.read_backs,
            "gate": self.gate,
            "stock_type": self.stock_type,
            "document": self.document,
            "replaced_by": self.replaced_by,
            "configuration": self.configuration,
            "waited_us": self.waited_us,
            "steps": [v.to_avro() for v in self.steps],
            "decisions": [v.to_avro() for v in self.decisions],
        }


@dataclass(slots=True)
class LetterSettled:
    """What became of a dead letter: entered again, resolved or discarded, with who and why. The newest holds."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    letter: str
    code: str
    state: str
    who: str
    why: str
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LetterSettled:
        return LetterSettled(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            letter=d["letter"],
            code=d["code"],
            state=d["state"],
            who=d["who"],
            why=d["why"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "letter": self.letter,
            "code": self.code,
            "state": self.state,
            "who": self.who,
            "why": self.why,
        }


@dataclass(slots=True)
class LogEpoch:
    """An operator said that topics were recreated or cut on purpose: offsets begin anew. The greatest one holds."""

    epoch: int
    at: int
    who: str
    why: str

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LogEpoch:
        return LogEpoch(
            epoch=d["epoch"],
            at=d["at"],
            who=d["who"],
            why=d["why"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "at": self.at,
            "who": self.who,
            "why": self.why,
        }


@dataclass(slots=True)
class LotCreated:
    """A lot exists."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    correlation_id: str = ""
    label: int = 0
    order: str = ""
    quantity: Quantity | None = None
    supplier_lot: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotCreated:
        return LotCreated(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            order=d["order"],
            quantity=None if d["quantity"] is None else Quantity.from_avro(d["quantity"]),
            supplier_lot=d["supplier_lot"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "order": self.order,
            "quantity": None if self.quantity is None else self.quantity.to_avro(),
            "supplier_lot": self.supplier_lot,
        }


@dataclass(slots=True)
class LotLoaded:
    """A component lot was loaded at a position of an equipment."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    position: str
    material: str
    lot: str
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    entry: str = ""
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotLoaded:
        return LotLoaded(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            position=d["position"],
            material=d["material"],
            lot=d["lot"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            entry=d["entry"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "position": self.position,
            "material": self.material,
            "lot": self.lot,
            "entry": self.entry,
            "version": self.version,
        }


@dataclass(slots=True)
class LotMade:
    """A lot came from a scope: an equipment, an order, a run, a supplier's lot. Per part the newest statement holds."""

    plant: str
    scope: str
    name: str
    material: str
    lot: str
    part: str
    from_at: int
    to_at: int
    log_epoch: int = 0
    inbox_offset: int = 0
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotMade:
        return LotMade(
            plant=d["plant"],
            scope=d["scope"],
            name=d["name"],
            material=d["material"],
            lot=d["lot"],
            part=d["part"],
            from_at=d["from_at"],
            to_at=d["to_at"],
            log_epoch=d["log_epoch"],
            inbox_offset=d["inbox_offset"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "scope": self.scope,
            "name": self.name,
            "material": self.material,
            "lot": self.lot,
            "part": self.part,
            "from_at": self.from_at,
            "to_at": self.to_at,
            "log_epoch": self.log_epoch,
            "inbox_offset": self.inbox_offset,
            "label": self.label,
        }


@dataclass(slots=True)
class LotMerged:
    """Lots were merged into this lot."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    parents: list[str]
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotMerged:
        return LotMerged(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            parents=d["parents"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "parents": self.parents,
        }


@dataclass(slots=True)
class LotQuality:
    """What quality says of one lot of an order."""

    held: bool
    open_inspections: int = 0
    staged: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotQuality:
        return LotQuality(
            held=d["held"],
            open_inspections=d["open_inspections"],
            staged=d["staged"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "held": self.held,
            "open_inspections": self.open_inspections,
            "staged": self.staged,
        }


@dataclass(slots=True)
class LotRef:
    """A lot by material and number."""

    material: str
    lot: str

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotRef:
        return LotRef(
            material=d["material"],
            lot=d["lot"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "material": self.material,
            "lot": self.lot,
        }


@dataclass(slots=True)
class Shipment:
    """What of a lot left with a delivery."""

    event_id: str
    shipped_at: int
    delivery: str = ""
    quantity: Quantity | None = None

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Shipment:
        return Shipment(
            event_id=d["event_id"],
            shipped_at=d["shipped_at"],
            delivery=d["delivery"],
            quantity=None if d["quantity"] is None else Quantity.from_avro(d["quantity"]),
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "delivery": self.delivery,
            "shipped_at": self.shipped_at,
            "quantity": None if self.quantity is None else self.quantity.to_avro(),
        }


@dataclass(slots=True)
class LotRow:
    """Quality and genealogy of one lot."""

    plant: str
    material: str
    lot: str
    holds: list[HoldState] = field(default_factory=list)
    children: list[LotRef] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    disposition: str = ""
    disposition_at: int = 0
    inspections: dict[str, str] = field(default_factory=dict)
    location: str = ""
    deliveries: list[str] = field(default_factory=list)
    touched_at: int = 0
    exemptions: list[Exemption] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotRow:
        return LotRow(
            plant=d["plant"],
            material=d["material"],
            lot=d["lot"],
            holds=[HoldState.from_avro(v) for v in d["holds"]],
            children=[LotRef.from_avro(v) for v in d["children"]],
            orders=d["orders"],
            disposition=d["disposition"],
            disposition_at=d["disposition_at"],
            inspections=d["inspections"],
            location=d["location"],
            deliveries=d["deliveries"],
            touched_at=d["touched_at"],
            exemptions=[Exemption.from_avro(v) for v in d["exemptions"]],
            shipments=[Shipment.from_avro(v) for v in d["shipments"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "material": self.material,
            "lot": self.lot,
            "holds": [v.to_avro() for v in self.holds],
            "children": [v.to_avro() for v in self.children],
            "orders": self.orders,
            "disposition": self.disposition,
            "disposition_at": self.disposition_at,
            "inspections": self.inspections,
            "location": self.location,
            "deliveries": self.deliveries,
            "touched_at": self.touched_at,
            "exemptions": [v.to_avro() for v in self.exemptions],
            "shipments": [v.to_avro() for v in self.shipments],
        }


@dataclass(slots=True)
class LotShipped:
    """A lot, or part of it, was shipped."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    correlation_id: str = ""
    label: int = 0
    delivery: str = ""
    quantity: Quantity | None = None

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotShipped:
        return LotShipped(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            delivery=d["delivery"],
            quantity=None if d["quantity"] is None else Quantity.from_avro(d["quantity"]),
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "delivery": self.delivery,
            "quantity": None if self.quantity is None else self.quantity.to_avro(),
        }


@dataclass(slots=True)
class LotSplit:
    """A lot was split into children."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    children: list[str]
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotSplit:
        return LotSplit(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            children=d["children"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "children": self.children,
        }


@dataclass(slots=True)
class LotStaged:
    """A lot was staged."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    lot: str
    correlation_id: str = ""
    label: int = 0
    location: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotStaged:
        return LotStaged(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            lot=d["lot"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            location=d["location"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "lot": self.lot,
            "location": self.location,
        }


@dataclass(slots=True)
class LotState:
    """What delivery must know of a lot."""

    plant: str
    material: str
    lot: str
    held: bool
    holds: list[str]
    label: int
    inbox_offset: int
    log_epoch: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotState:
        return LotState(
            plant=d["plant"],
            material=d["material"],
            lot=d["lot"],
            held=d["held"],
            holds=d["holds"],
            label=d["label"],
            inbox_offset=d["inbox_offset"],
            log_epoch=d["log_epoch"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "material": self.material,
            "lot": self.lot,
            "held": self.held,
            "holds": self.holds,
            "label": self.label,
            "inbox_offset": self.inbox_offset,
            "log_epoch": self.log_epoch,
        }


@dataclass(slots=True)
class LotStateRow:
    """What delivery knows of a lot: the newest state that lots sent."""

    plant: str
    material: str
    lot: str
    held: bool
    holds: list[str]
    label: int
    inbox_offset: int
    log_epoch: int = 0
    known_at: int = -1
    changes: list[HoldChange] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotStateRow:
        return LotStateRow(
            plant=d["plant"],
            material=d["material"],
            lot=d["lot"],
            held=d["held"],
            holds=d["holds"],
            label=d["label"],
            inbox_offset=d["inbox_offset"],
            log_epoch=d["log_epoch"],
            known_at=d["known_at"],
            changes=[HoldChange.from_avro(v) for v in d["changes"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "material": self.material,
            "lot": self.lot,
            "held": self.held,
            "holds": self.holds,
            "label": self.label,
            "inbox_offset": self.inbox_offset,
            "log_epoch": self.log_epoch,
            "known_at": self.known_at,
            "changes": [v.to_avro() for v in self.changes],
        }


@dataclass(slots=True)
class LotUnloaded:
    """The position of an equipment is empty."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    position: str
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    entry: str = ""
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> LotUnloaded:
        return LotUnloaded(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            position=d["position"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            entry=d["entry"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "position": self.position,
            "entry": self.entry,
            "version": self.version,
        }


@dataclass(slots=True)
class MadeSpan:
    """A time in which a lot was made within a scope."""

    part: str
    from_at: int
    to_at: int
    log_epoch: int = 0
    inbox_offset: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> MadeSpan:
        return MadeSpan(
            part=d["part"],
            from_at=d["from_at"],
            to_at=d["to_at"],
            log_epoch=d["log_epoch"],
            inbox_offset=d["inbox_offset"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "from_at": self.from_at,
            "to_at": self.to_at,
            "log_epoch": self.log_epoch,
            "inbox_offset": self.inbox_offset,
        }


@dataclass(slots=True)
class MaterialChanged:
    """Material master; broadcast to all orders partitions."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    material: str
    unit: str
    decimals: int
    batch_managed: bool
    correlation_id: str = ""
    label: int = 0
    conversions: list[str] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> MaterialChanged:
        return MaterialChanged(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            material=d["material"],
            unit=d["unit"],
            decimals=d["decimals"],
            batch_managed=d["batch_managed"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            conversions=d["conversions"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "material": self.material,
            "unit": self.unit,
            "decimals": self.decimals,
            "batch_managed": self.batch_managed,
            "conversions": self.conversions,
        }


@dataclass(slots=True)
class MaterialConsumed:
    """A component was consumed."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    quantity: Quantity
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    equipment: str = ""
    run: str = ""
    order: str = ""
    operation: str = ""
    material: str = ""
    lot: str = ""
    reason: str = ""
    position: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> MaterialConsumed:
        return MaterialConsumed(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            quantity=Quantity.from_avro(d["quantity"]),
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            equipment=d["equipment"],
            run=d["run"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            reason=d["reason"],
            position=d["position"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "quantity": self.quantity.to_avro(),
            "reason": self.reason,
            "position": self.position,
        }


@dataclass(slots=True)
class MaterialRow:
    """Material master of a plant."""

    plant: str
    material: str
    unit: str
    decimals: int
    batch_managed: bool
    conversions: list[str] = field(default_factory=list)
    told_at: int = 0
    since: int = 0
    known_at: int = 0
    former: list[FormerConversions] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> MaterialRow:
        return MaterialRow(
            plant=d["plant"],
            material=d["material"],
            unit=d["unit"],
            decimals=d["decimals"],
            batch_managed=d["batch_managed"],
            conversions=d["conversions"],
            told_at=d["told_at"],
            since=d["since"],
            known_at=d["known_at"],
            former=[FormerConversions.from_avro(v) for v in d["former"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "material": self.material,
            "unit": self.unit,
            "decimals": self.decimals,
            "batch_managed": self.batch_managed,
            "conversions": self.conversions,
            "told_at": self.told_at,
            "since": self.since,
            "known_at": self.known_at,
            "former": [v.to_avro() for v in self.former],
        }


@dataclass(slots=True)
class MesOperation:
    """One operation of an order as the shop floor names it."""

    operation: str
    work_centre: str = ""
    equipment: list[str] = field(default_factory=list)
    confirm: str = "each"
    receipt: bool = False
    planned_cycle_ms: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> MesOperation:
        return MesOperation(
            operation=d["operation"],
            work_centre=d["work_centre"],
            equipment=d["equipment"],
            confirm=d["confirm"],
            receipt=d["receipt"],
            planned_cycle_ms=d["planned_cycle_ms"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "operation": self.operation,
            "work_centre": self.work_centre,
            "equipment": self.equipment,
            "confirm": self.confirm,
            "receipt": self.receipt,
            "planned_cycle_ms": self.planned_cycle_ms,
        }


@dataclass(slots=True)
class OrderItem:
    """One item that an order makes."""

    item: str
    material: str
    quantity: Quantity
    role: str = "main"
    receipt_location: str = ""
    batch_managed: bool = False
    over_delivery: str = "0"

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderItem:
        return OrderItem(
            item=d["item"],
            material=d["material"],
            quantity=Quantity.from_avro(d["quantity"]),
            role=d["role"],
            receipt_location=d["receipt_location"],
            batch_managed=d["batch_managed"],
            over_delivery=d["over_delivery"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "material": self.material,
            "role": self.role,
            "quantity": self.quantity.to_avro(),
            "receipt_location": self.receipt_location,
            "batch_managed": self.batch_managed,
            "over_delivery": self.over_delivery,
        }


@dataclass(slots=True)
class MesOrder:
    """Public: an order for the MES, to be acknowledged or refused."""

    plant: str
    order: str
    as_of: int
    change_number: str = ""
    status: str = "released"
    bom_revision: str = ""
    planned_start: int = 0
    planned_end: int = 0
    items: list[OrderItem] = field(default_factory=list)
    operations: list[MesOperation] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    acknowledge_by: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> MesOrder:
        return MesOrder(
            plant=d["plant"],
            order=d["order"],
            as_of=d["as_of"],
            change_number=d["change_number"],
            status=d["status"],
            bom_revision=d["bom_revision"],
            planned_start=d["planned_start"],
            planned_end=d["planned_end"],
            items=[OrderItem.from_avro(v) for v in d["items"]],
            operations=[MesOperation.from_avro(v) for v in d["operations"]],
            components=[Component.from_avro(v) for v in d["components"]],
            acknowledge_by=d["acknowledge_by"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "order": self.order,
            "change_number": self.change_number,
            "status": self.status,
            "bom_revision": self.bom_revision,
            "planned_start": self.planned_start,
            "planned_end": self.planned_end,
            "items": [v.to_avro() for v in self.items],
            "operations": [v.to_avro() for v in self.operations],
            "components": [v.to_avro() for v in self.components],
            "acknowledge_by": self.acknowledge_by,
            "as_of": self.as_of,
        }


@dataclass(slots=True)
class Operation:
    """One operation of an order."""

    operation: str
    work_centre: str = ""
    confirm: str = "each"
    receipt: bool = False
    quantity_from: str = "plant"
    planned_cycle_ms: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Operation:
        return Operation(
            operation=d["operation"],
            work_centre=d["work_centre"],
            confirm=d["confirm"],
            receipt=d["receipt"],
            quantity_from=d["quantity_from"],
            planned_cycle_ms=d["planned_cycle_ms"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "operation": self.operation,
            "work_centre": self.work_centre,
            "confirm": self.confirm,
            "receipt": self.receipt,
            "quantity_from": self.quantity_from,
            "planned_cycle_ms": self.planned_cycle_ms,
        }


@dataclass(slots=True)
class OperatorDecision:
    """A person decided about something parked."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    account: str
    code: str
    decision: str
    who: str
    why: str
    correlation_id: str = ""
    label: int = 0
    posting_id: str = ""
    erp_document: str = ""
    equipment: str = ""
    counter: str = ""
    began_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OperatorDecision:
        return OperatorDecision(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            account=d["account"],
            code=d["code"],
            decision=d["decision"],
            who=d["who"],
            why=d["why"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            posting_id=d["posting_id"],
            erp_document=d["erp_document"],
            equipment=d["equipment"],
            counter=d["counter"],
            began_at=d["began_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "account": self.account,
            "code": self.code,
            "decision": self.decision,
            "who": self.who,
            "why": self.why,
            "posting_id": self.posting_id,
            "erp_document": self.erp_document,
            "equipment": self.equipment,
            "counter": self.counter,
            "began_at": self.began_at,
        }


@dataclass(slots=True)
class OrderAcknowledged:
    """The MES took the order over."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    correlation_id: str = ""
    label: int = 0
    by: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderAcknowledged:
        return OrderAcknowledged(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            by=d["by"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "by": self.by,
        }


@dataclass(slots=True)
class OrderChanged:
    """An order changed; replaces what was known under an older change number."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    items: list[OrderItem]
    operations: list[Operation]
    correlation_id: str = ""
    label: int = 0
    change_number: str = ""
    status: str = ""
    bom_revision: str = ""
    automatic_receipt: bool = False
    backflush: bool = False
    components: list[Component] = field(default_factory=list)
    order_type: str = ""
    planned_start: int = 0
    planned_end: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderChanged:
        return OrderChanged(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            items=[OrderItem.from_avro(v) for v in d["items"]],
            operations=[Operation.from_avro(v) for v in d["operations"]],
            correlation_id=d["correlation_id"],
            label=d["label"],
            change_number=d["change_number"],
            status=d["status"],
            bom_revision=d["bom_revision"],
            automatic_receipt=d["automatic_receipt"],
            backflush=d["backflush"],
            components=[Component.from_avro(v) for v in d["components"]],
            order_type=d["order_type"],
            planned_start=d["planned_start"],
            planned_end=d["planned_end"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "change_number": self.change_number,
            "status": self.status,
            "bom_revision": self.bom_revision,
            "automatic_receipt": self.automatic_receipt,
            "backflush": self.backflush,
            "items": [v.to_avro() for v in self.items],
            "operations": [v.to_avro() for v in self.operations],
            "components": [v.to_avro() for v in self.components],
            "order_type": self.order_type,
            "planned_start": self.planned_start,
            "planned_end": self.planned_end,
        }


@dataclass(slots=True)
class OrderClosed:
    """The order was closed (technically, or for good)."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    correlation_id: str = ""
    label: int = 0
    status: str = "closed"

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderClosed:
        return OrderClosed(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            status=d["status"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "status": self.status,
        }


@dataclass(slots=True)
class OrderCompleted:
    """An operation, or with empty operation the whole order, was completed on the shop floor."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    correlation_id: str = ""
    label: int = 0
    operation: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderCompleted:
        return OrderCompleted(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            operation=d["operation"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "operation": self.operation,
        }


@dataclass(slots=True)
class OrderHandedOver:
    """What the order made was handed over."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    correlation_id: str = ""
    label: int = 0
    to: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderHandedOver:
        return OrderHandedOver(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            to=d["to"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "to": self.to,
        }


@dataclass(slots=True)
class OrderRejected:
    """The MES refused the order."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    correlation_id: str = ""
    label: int = 0
    reason: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderRejected:
        return OrderRejected(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            reason=d["reason"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "reason": self.reason,
        }


@dataclass(slots=True)
class OrderReleased:
    """An order was released to the shop floor."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    order: str
    items: list[OrderItem]
    operations: list[Operation]
    correlation_id: str = ""
    label: int = 0
    change_number: str = ""
    status: str = "released"
    bom_revision: str = ""
    automatic_receipt: bool = False
    backflush: bool = False
    components: list[Component] = field(default_factory=list)
    order_type: str = ""
    planned_start: int = 0
    planned_end: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderReleased:
        return OrderReleased(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            order=d["order"],
            items=[OrderItem.from_avro(v) for v in d["items"]],
            operations=[Operation.from_avro(v) for v in d["operations"]],
            correlation_id=d["correlation_id"],
            label=d["label"],
            change_number=d["change_number"],
            status=d["status"],
            bom_revision=d["bom_revision"],
            automatic_receipt=d["automatic_receipt"],
            backflush=d["backflush"],
            components=[Component.from_avro(v) for v in d["components"]],
            order_type=d["order_type"],
            planned_start=d["planned_start"],
            planned_end=d["planned_end"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "order": self.order,
            "change_number": self.change_number,
            "status": self.status,
            "bom_revision": self.bom_revision,
            "automatic_receipt": self.automatic_receipt,
            "backflush": self.backflush,
            "items": [v.to_avro() for v in self.items],
            "operations": [v.to_avro() for v in self.operations],
            "components": [v.to_avro() for v in self.components],
            "order_type": self.order_type,
            "planned_start": self.planned_start,
            "planned_end": self.planned_end,
        }


@dataclass(slots=True)
class OrderRow:
    """An order as master data and the shop floor tell it."""

    plant: str
    order: str
    known: bool = False
    change_number: str = ""
    status: str = "released"
    bom_revision: str = ""
    automatic_receipt: bool = False
    backflush: bool = False
    components: list[Component] = field(default_factory=list)
    items: list[OrderItem] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    completed_operations: list[str] = field(default_factory=list)
    acknowledged: bool = False
    started: bool = False
    completed: bool = False
    handed_over: bool = False
    held_lots: list[str] = field(default_factory=list)
    order_type: str = ""
    boms: list[BomRevision] = field(default_factory=list)
    final_sent: list[str] = field(default_factory=list)
    technically_complete_at: int = 0
    planned_start: int = 0
    planned_end: int = 0
    released_at: int = 0
    acknowledged_at: int = 0
    started_at: int = 0
    completed_at: int = 0
    handed_over_at: int = 0
    rejected: str = ""
    overdue: bool = False
    quality: dict[str, LotQuality] = field(default_factory=dict)
    figures_due: bool = False
    counted: list[str] = field(default_factory=list)
    forget_at: int = 0
    over_at: int = 0
    began_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderRow:
        return OrderRow(
            plant=d["plant"],
            order=d["order"],
            known=d["known"],
            change_number=d["change_number"],
            status=d["status"],
            bom_revision=d["bom_revision"],
            automatic_receipt=d["automatic_receipt"],
            backflush=d["backflush"],
            components=[Component.from_avro(v) for v in d["components"]],
            items=[OrderItem.from_avro(v) for v in d["items"]],
            operations=[Operation.from_avro(v) for v in d["operations"]],
            completed_operations=d["completed_operations"],
            acknowledged=d["acknowledged"],
            started=d["started"],
            completed=d["completed"],
            handed_over=d["handed_over"],
            held_lots=d["held_lots"],
            order_type=d["order_type"],
            boms=[BomRevision.from_avro(v) for v in d["boms"]],
            final_sent=d["final_sent"],
            technically_complete_at=d["technically_complete_at"],
            planned_start=d["planned_start"],
            planned_end=d["planned_end"],
            released_at=d["released_at"],
            acknowledged_at=d["acknowledged_at"],
            started_at=d["started_at"],
            completed_at=d["completed_at"],
            handed_over_at=d["handed_over_at"],
            rejected=d["rejected"],
            overdue=d["overdue"],
            quality={k: LotQuality.from_avro(v) for k, v in d["quality"].items()},
            figures_due=d["figures_due"],
            counted=d["counted"],
            forget_at=d["forget_at"],
            over_at=d["over_at"],
            began_at=d["began_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "order": self.order,
            "known": self.known,
            "change_number": self.change_number,
            "status": self.status,
            "bom_revision": self.bom_revision,
            "automatic_receipt": self.automatic_receipt,
            "backflush": self.backflush,
            "components": [v.to_avro() for v in self.components],
            "items": [v.to_avro() for v in self.items],
            "operations": [v.to_avro() for v in self.operations],
            "completed_operations": self.completed_operations,
            "acknowledged": self.acknowledged,
            "started": self.started,
            "completed": self.completed,
            "handed_over": self.handed_over,
            "held_lots": self.held_lots,
            "order_type": self.order_type,
            "boms": [v.to_avro() for v in self.boms],
            "final_sent": self.final_sent,
            "technically_complete_at": self.technically_complete_at,
            "planned_start": self.planned_start,
            "planned_end": self.planned_end,
            "released_at": self.released_at,
            "acknowledged_at": self.acknowledged_at,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "handed_over_at": self.handed_over_at,
            "rejected": self.rejected,
            "overdue": self.overdue,
            "quality": {k: v.to_avro() for k, v in self.quality.items()},
            "figures_due": self.figures_due,
            "counted": self.counted,
            "forget_at": self.forget_at,
            "over_at": self.over_at,
            "began_at": self.began_at,
        }


@dataclass(slots=True)
class OrderState:
    """Public: state of an order."""

    plant: str
    order: str
    status: str
    acknowledged: bool
    started: bool
    completed: bool
    handed_over: bool
    as_of: int
    released: bool = False
    rejected: str = ""
    overdue: bool = False
    quality_cleared: bool = False
    staged: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> OrderState:
        return OrderState(
            plant=d["plant"],
            order=d["order"],
            status=d["status"],
            acknowledged=d["acknowledged"],
            started=d["started"],
            completed=d["completed"],
            handed_over=d["handed_over"],
            as_of=d["as_of"],
            released=d["released"],
            rejected=d["rejected"],
            overdue=d["overdue"],
            quality_cleared=d["quality_cleared"],
            staged=d["staged"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "order": self.order,
            "status": self.status,
            "acknowledged": self.acknowledged,
            "started": self.started,
            "completed": self.completed,
            "handed_over": self.handed_over,
            "as_of": self.as_of,
            "released": self.released,
            "rejected": self.rejected,
            "overdue": self.overdue,
            "quality_cleared": self.quality_cleared,
            "staged": self.staged,
        }


@dataclass(slots=True)
class Outcome:
    """Status of a posting, back to orders. Status only: it decides nothing there."""

    plant: str
    order: str
    account: str
    posting_id: str
    status: str
    inbox_offset: int
    erp_document: str = ""
    code: str = ""
    detail: str = ""
    replaced_by: str = ""
    posting_date: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Outcome:
        return Outcome(
            plant=d["plant"],
            order=d["order"],
            account=d["account"],
            posting_id=d["posting_id"],
            status=d["status"],
            inbox_offset=d["inbox_offset"],
            erp_document=d["erp_document"],
            code=d["code"],
            detail=d["detail"],
            replaced_by=d["replaced_by"],
            posting_date=d["posting_date"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "order": self.order,
            "account": self.account,
            "posting_id": self.posting_id,
            "status": self.status,
            "erp_document": self.erp_document,
            "code": self.code,
            "detail": self.detail,
            "inbox_offset": self.inbox_offset,
            "replaced_by": self.replaced_by,
            "posting_date": self.posting_date,
        }


@dataclass(slots=True)
class PendingConfig:
    """What a sender announced: a configuration that takes effect at a time, or the last one that it said."""

    plant: str
    hash: str
    at: int
    sender: str = ""
    started_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> PendingConfig:
        return PendingConfig(
            plant=d["plant"],
            hash=d["hash"],
            at=d["at"],
            sender=d["sender"],
            started_at=d["started_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "hash": self.hash,
            "at": self.at,
            "sender": self.sender,
            "started_at": self.started_at,
        }


@dataclass(slots=True)
class ReadMark:
    """A record of the inbox that was folded: is it still the same one?"""

    offset: int
    digest: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ReadMark:
        return ReadMark(
            offset=d["offset"],
            digest=d["digest"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "offset": self.offset,
            "digest": self.digest,
        }


@dataclass(slots=True)
class PartitionPosition:
    """The row `__position` of one stage partition: written by every transaction."""

    next_offset: int
    log_epoch: int
    fold_version: int
    inbox_topic_id: str
    clocks: dict[str, int] = field(default_factory=dict)
    configurations: dict[str, str] = field(default_factory=dict)
    pending_configurations: list[PendingConfig] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    partitions: int = 0
    read_marks: list[ReadMark] = field(default_factory=list)
    repairs: dict[str, int] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    silent: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, int] = field(default_factory=dict)
    posted_under: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> PartitionPosition:
        return PartitionPosition(
            next_offset=d["next_offset"],
            log_epoch=d["log_epoch"],
            fold_version=d["fold_version"],
            inbox_topic_id=d["inbox_topic_id"],
            clocks=d["clocks"],
            configurations=d["configurations"],
            pending_configurations=[PendingConfig.from_avro(v) for v in d["pending_configurations"]],
            marks=d["marks"],
            reached=d["reached"],
            partitions=d["partitions"],
            read_marks=[ReadMark.from_avro(v) for v in d["read_marks"]],
            repairs=d["repairs"],
            heard=[Heard.from_avro(v) for v in d["heard"]],
            silent=d["silent"],
            set_aside=d["set_aside"],
            posted_under=d["posted_under"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "next_offset": self.next_offset,
            "log_epoch": self.log_epoch,
            "fold_version": self.fold_version,
            "inbox_topic_id": self.inbox_topic_id,
            "clocks": self.clocks,
            "configurations": self.configurations,
            "pending_configurations": [v.to_avro() for v in self.pending_configurations],
            "marks": self.marks,
            "reached": self.reached,
            "partitions": self.partitions,
            "read_marks": [v.to_avro() for v in self.read_marks],
            "repairs": self.repairs,
            "heard": [v.to_avro() for v in self.heard],
            "silent": self.silent,
            "set_aside": self.set_aside,
            "posted_under": self.posted_under,
        }


@dataclass(slots=True)
class PendingRow:
    """A record that waits for its stage's clock."""

    label: int
    record: bytes
    inbox_offset: int
    log_epoch: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> PendingRow:
        return PendingRow(
            label=d["label"],
            record=d["record"],
            inbox_offset=d["inbox_offset"],
            log_epoch=d["log_epoch"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "record": self.record,
            "inbox_offset": self.inbox_offset,
            "log_epoch": self.log_epoch,
        }


@dataclass(slots=True)
class PlantRow:
    """What a stage remembers of a plant in this partition."""

    plant: str
    clock: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> PlantRow:
        return PlantRow(
            plant=d["plant"],
            clock=d["clock"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "clock": self.clock,
        }


@dataclass(slots=True)
class PostingRow:
    """The outbox entry of one posting and what became of it."""

    posting: Posting
    state: str
    attempts: int = 0
    finds: int = 0
    erp_document: str = ""
    code: str = ""
    detail: str = ""
    gate: str = ""
    stock_type: str = ""
    gate_offset: int = -1
    recalled: bool = False
    mismatch: bool = False
    unresolved: int = 0
    failures: int = 0
    configuration: str = ""
    waited_us: int = 0
    closed_at: int = 0
    alone: bool = False
    document: str = ""
    calls: int = 0
    replaced_by: str = ""
    decisions: list[Decision] = field(default_factory=list)
    scope: str = ""
    suspect: str = ""
    steps: list[PostingStep] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> PostingRow:
        return PostingRow(
            posting=Posting.from_avro(d["posting"]),
            state=d["state"],
            attempts=d["attempts"],
            finds=d["finds"],
            erp_document=d["erp_document"],
            code=d["code"],
            detail=d["detail"],
            gate=d["gate"],
            stock_type=d["stock_type"],
            gate_offset=d["gate_offset"],
            recalled=d["recalled"],
            mismatch=d["mismatch"],
            unresolved=d["unresolved"],
            failures=d["failures"],
            configuration=d["configuration"],
            waited_us=d["waited_us"],
            closed_at=d["closed_at"],
            alone=d["alone"],
            document=d["document"],
            calls=d["calls"],
            replaced_by=d["replaced_by"],
            decisions=[Decision.from_avro(v) for v in d["decisions"]],
            scope=d["scope"],
            suspect=d["suspect"],
            steps=[PostingStep.from_avro(v) for v in d["steps"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "posting": self.posting.to_avro(),
            "state": self.state,
            "attempts": self.attempts,
            "finds": self.finds,
            "erp_document": self.erp_document,
            "code": self.code,
            "detail": self.detail,
            "gate": self.gate,
            "stock_type": self.stock_type,
            "gate_offset": self.gate_offset,
            "recalled": self.recalled,
            "mismatch": self.mismatch,
            "unresolved": self.unresolved,
            "failures": self.failures,
            "configuration": self.configuration,
            "waited_us": self.waited_us,
            "closed_at": self.closed_at,
            "alone": self.alone,
            "document": self.document,
            "calls": self.calls,
            "replaced_by": self.replaced_by,
            "decisions": [v.to_avro() for v in self.decisions],
            "scope": self.scope,
            "suspect": self.suspect,
            "steps": [v.to_avro() for v in self.steps],
        }


@dataclass(slots=True)
class ProcessValue:
    """A process value. Public telemetry; never reaches an ERP."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    name: str
    value: str
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ProcessValue:
        return ProcessValue(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            name=d["name"],
            value=d["value"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "equipment": self.equipment,
            "name": self.name,
            "value": self.value,
        }


@dataclass(slots=True)
class ProductionDeclared:
    """Pieces declared by hand or by label."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    quantity: Quantity
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    equipment: str = ""
    run: str = ""
    order: str = ""
    operation: str = ""
    material: str = ""
    lot: str = ""
    reason: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ProductionDeclared:
        return ProductionDeclared(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            quantity=Quantity.from_avro(d["quantity"]),
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            equipment=d["equipment"],
            run=d["run"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            reason=d["reason"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "quantity": self.quantity.to_avro(),
            "reason": self.reason,
        }


@dataclass(slots=True)
class ProductionTotal:
    """Public: cumulative quantity of an account."""

    plant: str
    account: str
    order: str
    operation: str
    material: str
    kind: str
    business_date: str
    numerator: int
    denominator: int
    unit: str
    as_of: int
    lot: str = ""
    reason: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ProductionTotal:
        return ProductionTotal(
            plant=d["plant"],
            account=d["account"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            kind=d["kind"],
            business_date=d["business_date"],
            numerator=d["numerator"],
            denominator=d["denominator"],
            unit=d["unit"],
            as_of=d["as_of"],
            lot=d["lot"],
            reason=d["reason"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "account": self.account,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "kind": self.kind,
            "reason": self.reason,
            "business_date": self.business_date,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unit": self.unit,
            "as_of": self.as_of,
        }


@dataclass(slots=True)
class QualityState:
    """Quality state of a lot, for orders."""

    plant: str
    material: str
    lot: str
    held: bool
    holds: list[str]
    label: int
    inbox_offset: int
    order: str = ""
    open_inspections: int = 0
    staged: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> QualityState:
        return QualityState(
            plant=d["plant"],
            material=d["material"],
            lot=d["lot"],
            held=d["held"],
            holds=d["holds"],
            label=d["label"],
            inbox_offset=d["inbox_offset"],
            order=d["order"],
            open_inspections=d["open_inspections"],
            staged=d["staged"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "material": self.material,
            "lot": self.lot,
            "held": self.held,
            "holds": self.holds,
            "label": self.label,
            "inbox_offset": self.inbox_offset,
            "order": self.order,
            "open_inspections": self.open_inspections,
            "staged": self.staged,
        }


@dataclass(slots=True)
class QuotaLimit:
    """What may go to an ERP in any span of this length."""

    per_us: int
    calls: int
    processing_us: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> QuotaLimit:
        return QuotaLimit(
            per_us=d["per_us"],
            calls=d["calls"],
            processing_us=d["processing_us"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "per_us": self.per_us,
            "calls": self.calls,
            "processing_us": self.processing_us,
        }


@dataclass(slots=True)
class QuotaUse:
    """What was taken out of a quota. In a correction it may be negative: given back."""

    until: int
    calls: int
    processing_us: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> QuotaUse:
        return QuotaUse(
            until=d["until"],
            calls=d["calls"],
            processing_us=d["processing_us"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "until": self.until,
            "calls": self.calls,
            "processing_us": self.processing_us,
        }


@dataclass(slots=True)
class QuotaAsked:
    """An executor wants to take something out of the quotas of its ERP, before it uses it."""

    owner: str
    number: int
    at: int
    until: int
    calls: int
    processing_us: int
    limits: list[QuotaLimit]
    corrections: list[QuotaUse] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> QuotaAsked:
        return QuotaAsked(
            owner=d["owner"],
            number=d["number"],
            at=d["at"],
            until=d["until"],
            calls=d["calls"],
            processing_us=d["processing_us"],
            limits=[QuotaLimit.from_avro(v) for v in d["limits"]],
            corrections=[QuotaUse.from_avro(v) for v in d["corrections"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "owner": self.owner,
            "number": self.number,
            "at": self.at,
            "until": self.until,
            "calls": self.calls,
            "processing_us": self.processing_us,
            "limits": [v.to_avro() for v in self.limits],
            "corrections": [v.to_avro() for v in self.corrections],
        }


@dataclass(slots=True)
class QuotaWindow:
    """What was taken out of the quota of one span."""

    per_us: int
    uses: list[QuotaUse]

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> QuotaWindow:
        return QuotaWindow(
            per_us=d["per_us"],
            uses=[QuotaUse.from_avro(v) for v in d["uses"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "per_us": self.per_us,
            "uses": [v.to_avro() for v in self.uses],
        }


@dataclass(slots=True)
class QuotaRow:
    """What was taken out of the quotas of an ERP, by any owner, used or not."""

    windows: list[QuotaWindow]

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> QuotaRow:
        return QuotaRow(
            windows=[QuotaWindow.from_avro(v) for v in d["windows"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "windows": [v.to_avro() for v in self.windows],
        }


@dataclass(slots=True)
class ReworkDeclared:
    """Pieces set aside for rework."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    quantity: Quantity
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    equipment: str = ""
    run: str = ""
    order: str = ""
    operation: str = ""
    material: str = ""
    lot: str = ""
    reason: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ReworkDeclared:
        return ReworkDeclared(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            quantity=Quantity.from_avro(d["quantity"]),
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            equipment=d["equipment"],
            run=d["run"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            reason=d["reason"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "quantity": self.quantity.to_avro(),
            "reason": self.reason,
        }


@dataclass(slots=True)
class ReworkReturned:
    """Rework came back as yield or scrap."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    quantity: Quantity
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    equipment: str = ""
    run: str = ""
    order: str = ""
    operation: str = ""
    material: str = ""
    lot: str = ""
    reason: str = ""
    as_kind: str = "yield"

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ReworkReturned:
        return ReworkReturned(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            quantity=Quantity.from_avro(d["quantity"]),
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            equipment=d["equipment"],
            run=d["run"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            reason=d["reason"],
            as_kind=d["as_kind"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "quantity": self.quantity.to_avro(),
            "reason": self.reason,
            "as_kind": self.as_kind,
        }


@dataclass(slots=True)
class RunChanged:
    """From `occurred_at` on, the run has these outputs."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    run: str
    outputs: list[Output]
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RunChanged:
        return RunChanged(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            run=d["run"],
            outputs=[Output.from_avro(v) for v in d["outputs"]],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "version": self.version,
            "outputs": [v.to_avro() for v in self.outputs],
        }


@dataclass(slots=True)
class RunCorrected:
    """People corrected a run; empty fields stay as they were."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    run: str
    version: int
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    order: str = ""
    operation: str = ""
    outputs: list[Output] = field(default_factory=list)
    started_at: int | None = None
    ended_at: int | None = None

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RunCorrected:
        return RunCorrected(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            run=d["run"],
            version=d["version"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            order=d["order"],
            operation=d["operation"],
            outputs=[Output.from_avro(v) for v in d["outputs"]],
            started_at=d["started_at"],
            ended_at=d["ended_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "version": self.version,
            "order": self.order,
            "operation": self.operation,
            "outputs": [v.to_avro() for v in self.outputs],
            "started_at": self.started_at,
            "ended_at": self.ended_at,
        }


@dataclass(slots=True)
class RunEnded:
    """The run ended; an empty run ends whatever runs on the equipment."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    run: str = ""
    version: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RunEnded:
        return RunEnded(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            run=d["run"],
            version=d["version"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "version": self.version,
        }


@dataclass(slots=True)
class RunStarted:
    """One order operation began on one equipment."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    run: str
    outputs: list[Output]
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    order: str = ""
    operation: str = ""
    version: int = 0
    bom_revision: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RunStarted:
        return RunStarted(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            run=d["run"],
            outputs=[Output.from_avro(v) for v in d["outputs"]],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            order=d["order"],
            operation=d["operation"],
            version=d["version"],
            bom_revision=d["bom_revision"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "version": self.version,
            "bom_revision": self.bom_revision,
            "outputs": [v.to_avro() for v in self.outputs],
        }


@dataclass(slots=True)
class RunVoided:
    """The run never was."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    equipment: str
    run: str
    version: int
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> RunVoided:
        return RunVoided(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            equipment=d["equipment"],
            run=d["run"],
            version=d["version"],
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "version": self.version,
        }


@dataclass(slots=True)
class ScopeHold:
    """A hold on what a scope made within a time."""

    hold: HoldState
    from_at: int
    to_at: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ScopeHold:
        return ScopeHold(
            hold=HoldState.from_avro(d["hold"]),
            from_at=d["from_at"],
            to_at=d["to_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "hold": self.hold.to_avro(),
            "from_at": self.from_at,
            "to_at": self.to_at,
        }


@dataclass(slots=True)
class ScopeLotRow:
    """A lot that came from a scope, when, and what it was told of the scope's holds."""

    plant: str
    scope: str
    name: str
    material: str
    lot: str
    spans: list[MadeSpan] = field(default_factory=list)
    told: list[HoldState] = field(default_factory=list)
    touched_at: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ScopeLotRow:
        return ScopeLotRow(
            plant=d["plant"],
            scope=d["scope"],
            name=d["name"],
            material=d["material"],
            lot=d["lot"],
            spans=[MadeSpan.from_avro(v) for v in d["spans"]],
            told=[HoldState.from_avro(v) for v in d["told"]],
            touched_at=d["touched_at"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "scope": self.scope,
            "name": self.name,
            "material": self.material,
            "lot": self.lot,
            "spans": [v.to_avro() for v in self.spans],
            "told": [v.to_avro() for v in self.told],
            "touched_at": self.touched_at,
        }


@dataclass(slots=True)
class ScopeRow:
    """Holds that were placed on a scope: an equipment, an order, a run, a supplier's lot."""

    plant: str
    scope: str
    name: str
    holds: list[ScopeHold] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ScopeRow:
        return ScopeRow(
            plant=d["plant"],
            scope=d["scope"],
            name=d["name"],
            holds=[ScopeHold.from_avro(v) for v in d["holds"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "scope": self.scope,
            "name": self.name,
            "holds": [v.to_avro() for v in self.holds],
        }


@dataclass(slots=True)
class ScrapDeclared:
    """Scrap declared by reason."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    quantity: Quantity
    correlation_id: str = ""
    label: int = 0
    source_seq: int = -1
    raw_part: int = 0
    equipment: str = ""
    run: str = ""
    order: str = ""
    operation: str = ""
    material: str = ""
    lot: str = ""
    reason: str = ""
    of: str = "output"

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ScrapDeclared:
        return ScrapDeclared(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            quantity=Quantity.from_avro(d["quantity"]),
            correlation_id=d["correlation_id"],
            label=d["label"],
            source_seq=d["source_seq"],
            raw_part=d["raw_part"],
            equipment=d["equipment"],
            run=d["run"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            lot=d["lot"],
            reason=d["reason"],
            of=d["of"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "source_seq": self.source_seq,
            "raw_part": self.raw_part,
            "equipment": self.equipment,
            "run": self.run,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "quantity": self.quantity.to_avro(),
            "reason": self.reason,
            "of": self.of,
        }


@dataclass(slots=True)
class ShipmentBlock:
    """Public: WMS must (not) ship this lot."""

    plant: str
    material: str
    lot: str
    blocked: bool
    holds: list[str]
    as_of: int

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> ShipmentBlock:
        return ShipmentBlock(
            plant=d["plant"],
            material=d["material"],
            lot=d["lot"],
            blocked=d["blocked"],
            holds=d["holds"],
            as_of=d["as_of"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "material": self.material,
            "lot": self.lot,
            "blocked": self.blocked,
            "holds": self.holds,
            "as_of": self.as_of,
        }


@dataclass(slots=True)
class Tick:
    """Everything of `plant` up to `at` precedes this record on this channel."""

    plant: str
    at: int
    sender: str
    final: bool = False

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Tick:
        return Tick(
            plant=d["plant"],
            at=d["at"],
            sender=d["sender"],
            final=d["final"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "at": self.at,
            "sender": self.sender,
            "final": self.final,
        }


@dataclass(slots=True)
class TimelineRow:
    """Ten minutes of one counter: every reading, in truth order."""

    entry: PointState
    exit: PointState
    raw_sources: list[str]
    points: bytes = b''
    shares: list[Share] = field(default_factory=list)
    packed: bytes = b''
    low_seq: int = -1
    high_seq: int = -1
    falls: list[CountFall] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> TimelineRow:
        return TimelineRow(
            entry=PointState.from_avro(d["entry"]),
            exit=PointState.from_avro(d["exit"]),
            raw_sources=d["raw_sources"],
            points=d["points"],
            shares=[Share.from_avro(v) for v in d["shares"]],
            packed=d["packed"],
            low_seq=d["low_seq"],
            high_seq=d["high_seq"],
            falls=[CountFall.from_avro(v) for v in d["falls"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "entry": self.entry.to_avro(),
            "exit": self.exit.to_avro(),
            "points": self.points,
            "raw_sources": self.raw_sources,
            "shares": [v.to_avro() for v in self.shares],
            "packed": self.packed,
            "low_seq": self.low_seq,
            "high_seq": self.high_seq,
            "falls": [v.to_avro() for v in self.falls],
        }


@dataclass(slots=True)
class TimerFired:
    """A timer of the executor (monotonic) fired for a posting."""

    posting_id: str
    attempt: int
    timer: str

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> TimerFired:
        return TimerFired(
            posting_id=d["posting_id"],
            attempt=d["attempt"],
            timer=d["timer"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "posting_id": self.posting_id,
            "attempt": self.attempt,
            "timer": self.timer,
        }


@dataclass(slots=True)
class Total:
    """The total of one source key as of `label`; the newest version replaces, never adds."""

    plant: str
    source_key: str
    order: str
    operation: str
    material: str
    kind: str
    business_date: str
    numerator: int
    unit: str
    log_epoch: int
    inbox_offset: int
    fold_version: int
    label: int
    equipment: str = ""
    lot: str = ""
    reason: str = ""
    position: str = ""
    component_material: str = ""
    component_lot: str = ""
    run: str = ""
    bom_revision: str = ""
    denominator: int = 1
    first_at: int = 0
    last_at: int = 0
    records: int = 0
    ranges: list[RawRange] = field(default_factory=list)
    authority: str = "counters"
    correlations: list[Correlation] = field(default_factory=list)

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> Total:
        return Total(
            plant=d["plant"],
            source_key=d["source_key"],
            order=d["order"],
            operation=d["operation"],
            material=d["material"],
            kind=d["kind"],
            business_date=d["business_date"],
            numerator=d["numerator"],
            unit=d["unit"],
            log_epoch=d["log_epoch"],
            inbox_offset=d["inbox_offset"],
            fold_version=d["fold_version"],
            label=d["label"],
            equipment=d["equipment"],
            lot=d["lot"],
            reason=d["reason"],
            position=d["position"],
            component_material=d["component_material"],
            component_lot=d["component_lot"],
            run=d["run"],
            bom_revision=d["bom_revision"],
            denominator=d["denominator"],
            first_at=d["first_at"],
            last_at=d["last_at"],
            records=d["records"],
            ranges=[RawRange.from_avro(v) for v in d["ranges"]],
            authority=d["authority"],
            correlations=[Correlation.from_avro(v) for v in d["correlations"]],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "equipment": self.equipment,
            "source_key": self.source_key,
            "order": self.order,
            "operation": self.operation,
            "material": self.material,
            "lot": self.lot,
            "kind": self.kind,
            "reason": self.reason,
            "position": self.position,
            "component_material": self.component_material,
            "component_lot": self.component_lot,
            "business_date": self.business_date,
            "run": self.run,
            "bom_revision": self.bom_revision,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unit": self.unit,
            "log_epoch": self.log_epoch,
            "inbox_offset": self.inbox_offset,
            "fold_version": self.fold_version,
            "label": self.label,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "records": self.records,
            "ranges": [v.to_avro() for v in self.ranges],
            "authority": self.authority,
            "correlations": [v.to_avro() for v in self.correlations],
        }


@dataclass(slots=True)
class UpstreamOrdered:
    """A person set a source aside, or took it in again."""

    event_id: str
    plant: str
    occurred_at: int
    received_at: int
    source: str
    raw_source: str
    raw_offset: int
    topic: str
    excluded: bool
    who: str
    why: str
    correlation_id: str = ""
    label: int = 0

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> UpstreamOrdered:
        return UpstreamOrdered(
            event_id=d["event_id"],
            plant=d["plant"],
            occurred_at=d["occurred_at"],
            received_at=d["received_at"],
            source=d["source"],
            raw_source=d["raw_source"],
            raw_offset=d["raw_offset"],
            topic=d["topic"],
            excluded=d["excluded"],
            who=d["who"],
            why=d["why"],
            correlation_id=d["correlation_id"],
            label=d["label"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "plant": self.plant,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "source": self.source,
            "raw_source": self.raw_source,
            "raw_offset": self.raw_offset,
            "correlation_id": self.correlation_id,
            "label": self.label,
            "topic": self.topic,
            "excluded": self.excluded,
            "who": self.who,
            "why": self.why,
        }


@dataclass(slots=True)
class UpstreamState:
    """A source's intake fell silent, or counts again; or a source of which an equipment expects to hear (`sources.X.expect`)."""

    plant: str
    upstream: str
    source: str
    silent: bool
    on_silence: str
    last_tick: int
    label: int
    code: str = ""

    @staticmethod
    def from_avro(d: Mapping[str, Any]) -> UpstreamState:
        return UpstreamState(
            plant=d["plant"],
            upstream=d["upstream"],
            source=d["source"],
            silent=d["silent"],
            on_silence=d["on_silence"],
            last_tick=d["last_tick"],
            label=d["label"],
            code=d["code"],
        )

    def to_avro(self) -> dict[str, Any]:
        return {
            "plant": self.plant,
            "upstream": self.upstream,
            "source": self.source,
            "silent": self.silent,
            "on_silence": self.on_silence,
            "last_tick": self.last_tick,
            "label": self.label,
            "code": self.code,
        }


RECORDS: dict[str, Any] = {
    "AccountClosedRow": AccountClosedRow,
    "AccountRow": AccountRow,
    "Apart": Apart,
    "AttemptEnded": AttemptEnded,
    "BomRevision": BomRevision,
    "ClockRepaired": ClockRepaired,
    "Component": Component,
    "ConfigActivated": ConfigActivated,
    "ConfigDocument": ConfigDocument,
    "Correlation": Correlation,
    "CountDecision": CountDecision,
    "CountFall": CountFall,
    "CounterFrame": CounterFrame,
    "CounterState": CounterState,
    "CutOff": CutOff,
    "Decision": Decision,
    "DeclarationRow": DeclarationRow,
    "DispositionDecided": DispositionDecided,
    "EndpointOrdered": EndpointOrdered,
    "EndpointRow": EndpointRow,
    "EntryVoided": EntryVoided,
    "EquipmentRow": EquipmentRow,
    "EquipmentStateChanged": EquipmentStateChanged,
    "ErpHeld": ErpHeld,
    "ExceptionRecord": ExceptionRecord,
    "Excursion": Excursion,
    "Exemption": Exemption,
    "FormerConversions": FormerConversions,
    "FormerCount": FormerCount,
    "FormerDefinition": FormerDefinition,
    "GenealogyEdge": GenealogyEdge,
    "Heard": Heard,
    "HoldChange": HoldChange,
    "HoldExempted": HoldExempted,
    "HoldForwarded": HoldForwarded,
    "HoldPlaced": HoldPlaced,
    "HoldReleased": HoldReleased,
    "HoldState": HoldState,
    "InspectionRecorded": InspectionRecorded,
    "InspectionRequested": InspectionRequested,
    "IssuedPosting": IssuedPosting,
    "JournalEntry": JournalEntry,
    "JournalRow": JournalRow,
    "Kpi": Kpi,
    "LabourMark": LabourMark,
    "LabourRecorded": LabourRecorded,
    "LabourRow": LabourRow,
    "LedgerAccount": LedgerAccount,
    "LedgerPosting": LedgerPosting,
    "LedgerSource": LedgerSource,
    "LetterSettled": LetterSettled,
    "LogEpoch": LogEpoch,
    "LotCreated": LotCreated,
    "LotLoad": LotLoad,
    "LotLoaded": LotLoaded,
    "LotMade": LotMade,
    "LotMerged": LotMerged,
    "LotQuality": LotQuality,
    "LotRef": LotRef,
    "LotRow": LotRow,
    "LotShipped": LotShipped,
    "LotSplit": LotSplit,
    "LotStaged": LotStaged,
    "LotState": LotState,
    "LotStateRow": LotStateRow,
    "LotUnloaded": LotUnloaded,
    "MadeSpan": MadeSpan,
    "MaterialChanged": MaterialChanged,
    "MaterialConsumed": MaterialConsumed,
    "MaterialRow": MaterialRow,
    "MesOperation": MesOperation,
    "MesOrder": MesOrder,
    "Movement": Movement,
    "Operation": Operation,
    "OperatorDecision": OperatorDecision,
    "OrderAcknowledged": OrderAcknowledged,
    "OrderChanged": OrderChanged,
    "OrderClosed": OrderClosed,
    "OrderCompleted": OrderCompleted,
    "OrderHandedOver": OrderHandedOver,
    "OrderItem": OrderItem,
    "OrderRejected": OrderRejected,
    "OrderReleased": OrderReleased,
    "OrderRow": OrderRow,
    "OrderState": OrderState,
    "Outcome": Outcome,
    "Output": Output,
    "PartitionPosition": PartitionPosition,
    "PendingConfig": PendingConfig,
    "PendingRow": PendingRow,
    "PlantRow": PlantRow,
    "PointState": PointState,
    "Posting": Posting,
    "PostingRow": PostingRow,
    "PostingStep": PostingStep,
    "ProcessValue": ProcessValue,
    "ProductionDeclared": ProductionDeclared,
    "ProductionTotal": ProductionTotal,
    "QualityState": QualityState,
    "Quantity": Quantity,
    "QuotaAsked": QuotaAsked,
    "QuotaLimit": QuotaLimit,
    "QuotaRow": QuotaRow,
    "QuotaUse": QuotaUse,
    "QuotaWindow": QuotaWindow,
    "RawRange": RawRange,
    "ReadMark": ReadMark,
    "ReworkDeclared": ReworkDeclared,
    "ReworkReturned": ReworkReturned,
    "RunChanged": RunChanged,
    "RunCorrected": RunCorrected,
    "RunEnded": RunEnded,
    "RunSegment": RunSegment,
    "RunStarted": RunStarted,
    "RunState": RunState,
    "RunVoided": RunVoided,
    "ScopeHold": ScopeHold,
    "ScopeLotRow": ScopeLotRow,
    "ScopeRow": ScopeRow,
    "ScrapDeclared": ScrapDeclared,
    "Share": Share,
    "Shipment": Shipment,
    "ShipmentBlock": ShipmentBlock,
    "SourceHeard": SourceHeard,
    "SourceTotal": SourceTotal,
    "StateSpan": StateSpan,
    "Stated": Stated,
    "Tick": Tick,
    "TimelineRow": TimelineRow,
    "TimerFired": TimerFired,
    "Total": Total,
    "TotalState": TotalState,
    "UpstreamOrdered": UpstreamOrdered,
    "UpstreamState": UpstreamState,
}
