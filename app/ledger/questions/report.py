"""The report of a run: every line answers a question, every problem ends in a command."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from app.erp.telemetry_check import MAX_LEAKS, Finding
from app.erp.traffic import Request
from app.ledger.books.erp_calls import figures
from app.ledger.books.folder import DEFAULT_OUT
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof import erp_check
from app.ledger.proof.balance import ACCEPTED, REFUSED, Balance, Proof, Unattributed
from app.ledger.proof.refused_inputs import RefusedInput, empty_inputs, nothing_read, refused_inputs
from app.ledger.questions import carries, fell, variance
from app.ledger.questions.carries import LeftByRounding
from app.ledger.questions.export import quantity_text
from app.ledger.questions.needs import Need, needs_of
from app.ledger.questions.order_books import BooksQuestion, questions_of, summary_line
from app.ledger.questions.order_books import as_json as books_as_json
from streams.intake.clock import counted
from tables.orders.account import BASIS
from tables.orders.cut_off import left_behind
from tables.quantity import exact_text, fraction
from tables.row_kinds import ACCOUNT_ROWS, EQUIPMENT_ROWS, LOT_ROWS, POSTING_ROWS

KIND_ORDER = ("yield", "scrap", "rework", "consumption", "machine_time", "setup_time", "labour_time")
MAX_VARIANCES = 20
"""Lines of them in the printed report; `lineledger variance` lists all."""
MAX_CARRIES = 5
"""Lines of them; `lineledger reconcile` says all."""
MAX_EQUIPMENT = 5
"""Names of them in one line."""
TALLIES = (
    ("duplicates", "duplicates"),
    ("late", "late readings"),
    ("resets", "resets"),
    ("rollovers", "roll-overs"),
    ("placeholders", "placeholder zeros"),
    ("dips", "dips"),
    ("spikes", "false high counts"),
    ("silences", "silences of sources"),
)


@dataclass(slots=True)
class Report:
    """Figures of one run, ready to print or to give as JSON."""

    plant: str
    erp: str
    embedded: bool
    in_memory: bool
    first_at: int
    last_at: int
    seconds: float
    rate: float
    """Raw records per second once the stages were up."""
    raw: dict[str, int]
    """What intake took, and how many records it refused something of."""
    calls: dict[str, int]
    telemetry: Finding
    balances: list[tuple[str, str, Balance]]
    proof: Proof
    erp_check: dict[str, Any]
    needs: list[Need]
    late: list[tuple[str, str, Fraction, str]]
    """Kind, unit, quantity and orders of what the ERP does not have yet."""
    tallies: dict[str, int]
    variances: list[variance.Variance]
    """What two authorities say differently; equal ones are left out."""
    quality: dict[str, int]
    zone: str
    falls: list[fell.Fell]
    """Falls that counted as a new start, and jumps that never were."""
    refused_inputs: list[RefusedInput]
    books: list[BooksQuestion] = field(default_factory=list)
    """What a controller asks of the books, beside EXACT."""
    carries: list[LeftByRounding] = field(default_factory=list)
    """What rounding leaves, per order, operation, material and unit."""
    restarts: int = 0
    files: list[str] = field(default_factory=list)
    example: str = ""
    empty_inputs: list[str] = field(default_factory=list)
    """Files of the run that no record was read from."""
    all_empty: bool = False
    """No record was read from any: there is nothing that could be exact."""
    out: str = str(DEFAULT_OUT)
    """Folder of the run, as it was asked for: questions need it when it is another than theirs by default."""

    @property
    def doubtful(self) -> bool:
        """The embedded broker never aborts: what a worker had written when it died may be there twice."""
        return self.embedded and self.restarts > 0

    @property
    def exact(self) -> bool:
        proved = self.proof.exact and not self.erp_check.get("differences") and not self.doubtful
        return proved and not self.all_empty and not self.refused_inputs and not self.telemetry.leaks


def build(
    snapshot: Snapshot,
    proof: Proof,
    seconds: float,
    rate: float,
    erp: Mapping[str, Any],
    requests: Sequence[Request],
    telemetry: Finding,
) -> Report:
    """`requests`: all that left for the ERP; `telemetry`: what of the run's process values was found in them."""
    plant = snapshot.configuration.plant.plant
    now = max((position.marks.get("tick", 0) for position in snapshot.positions("intake")), default=0)
    marks: Counter[str] = Counter()
    for position in snapshot.positions("intake"):
        marks.update(counted(position.marks.items()))
    postings = list(snapshot.of(POSTING_ROWS))
    tallies: Counter[str] = Counter()
    for row in snapshot.of(EQUIPMENT_ROWS):
        tallies.update(row.tally)
    balances = [(kind, unit, proof.balances[kind, unit]) for kind, unit in sorted(proof.balances, key=_rank)]
    refused = len({(one.raw_source, one.raw_offset) for one in snapshot.letters if one.stage == "intake"})
    return Report(
        plant=plant.id,
        erp=snapshot.about["erp"],
        embedded=snapshot.about["embedded"],
        in_memory=bool(snapshot.about.get("in_memory")),
        first_at=begun_at(snapshot),
        last_at=now,
        seconds=seconds,
        rate=rate,
        raw=dict(marks) | ({"refused": refused} if refused or "refused" in marks else {}),
        calls=figures(snapshot, requests),
        telemetry=telemetry,
        balances=balances,
        proof=proof,
        erp_check=dict(erp),
        needs=list(needs_of(snapshot, proof)),
        late=missed(snapshot),
        tallies=dict(tallies),
        variances=[entry for entry in variance.variances(snapshot) if entry.difference],
        quality={
            "lots": len(list(snapshot.of(LOT_ROWS))),
            "held": sum(any(hold.active for hold in row.holds) for row in snapshot.of(LOT_ROWS)),
        },
        zone=plant.zone,
        falls=fell.falls(snapshot),
        refused_inputs=refused_inputs(snapshot),
        books=questions_of(snapshot),
        carries=carries.carries_of(snapshot),
        empty_inputs=empty_inputs(snapshot),
        all_empty=nothing_read(snapshot),
        restarts=snapshot.about.get("restarts", 0),
        example=max((row.posting.posting_id for row in postings if row.posting.kind == "yield"), default=""),
    )


def begun_at(snapshot: Snapshot) -> int:
    """When the first count or declaration was made, also of what equipment has forgotten since; 0: there was none."""
    rows = list(snapshot.of(EQUIPMENT_ROWS))
    counted = [total.first_at for row in rows for total in row.totals.values()] + [row.first_at for row in rows]
    return min((at for at in counted if at), default=0)


def missed(snapshot: Snapshot) -> list[tuple[str, str, Fraction, str]]:
    """What a period that closed now would miss, by kind and unit (docs/domain.md, Cut-off). What somebody dropped is never to
    come."""
    amounts: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    orders: dict[tuple[str, str], set[str]] = defaultdict(set)
    accepted = {row.posting.posting_id for row in snapshot.of(POSTING_ROWS) if row.state == ACCEPTED}
    for row in snapshot.of(ACCOUNT_ROWS):
        left: dict[str, Fraction] = defaultdict(Fraction)
        for one in left_behind(row, accepted) if row.kind != BASIS else ():
            left[one.unit] += fraction(one.steps, one.scale)
        for unit, amount in left.items():
            if amount:
                amounts[row.kind, unit] += amount
                orders[row.kind, unit].add(row.order)
    return [(kind, unit, amounts[kind, unit], _few(sorted(orders[kind, unit]))) for kind, unit in sorted(amounts, key=_rank)]


def _few(orders: list[str]) -> str:
    return f"order {orders[0]}" if len(orders) == 1 else f"{len(orders)} orders"


def _rank(key: tuple[str, str]) -> tuple[int, str]:
    kind, unit = key
    return (KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)), unit


def text(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    broker = "in memory (no broker)" if report.in_memory else "embedded broker (nothing is kept)" if report.embedded else "Kafka"
    begun, ended = _local(report.first_at, report.zone), _local(report.last_at, report.zone)
    yield f"{report.plant}  {begun} .. {ended}   {broker}   {report.erp}"
    raw = report.raw
    yield (
        f"Raw records {raw.get('raw', 0):>11,}   readings {raw.get('readings', 0):,}"
        f"   process values {raw.get('process_values', 0):,} ({_reached(report.telemetry)})"
        f"   declarations {raw.get('declarations', 0):,}   other {raw.get('other', 0):,}"
        f"   ignored {raw.get('ignored', 0):,}   refused {raw.get('refused', 0):,}"
    )
    calls = report.calls
    total_calls = calls["attempts"] + calls["read_backs"]
    per_call = f"   1 call per {raw.get('raw', 0) // total_calls:,} records" if total_calls else ""
    yield (
        f"To the ERP  {total_calls:>11,} calls = {calls['attempts'] - calls['retries']:,} documents"
        f" + {calls['retries']:,} retries + {calls['read_backs']:,} read-backs   {calls['postings']:,} postings{per_call}"
    )
    verdict = "    NOT EXACT: nothing was read" if report.all_empty else ""
    yield from (f"{name}: no record was read from it{verdict}" for name in report.empty_inputs)
    for leak in report.telemetry.leaks[:MAX_LEAKS]:
        yield f"TELEMETRY_LEAKED: `{leak.canary}` in request {leak.request + 1} ({leak.context}, {leak.form})"
    yield ""
    yield from balance_lines(report.balances)
    yield from carries.lines_of(report.carries, MAX_CARRIES, _with(report))
    yield from _proof_lines(report)
    yield summary_line(report.books) + (_with(report) if report.books else "")
    yield ""
    if report.needs:
        yield f"{'Needs somebody':<60}{'since':<14}{'owner':<14}next step{_with(report, ' (add', ')')}"
        for need in report.needs:
            yield f"  {need.what:<57} {_local(need.since, report.zone, '%d %b %H:%M'):<14}{need.owner:<14}{need.command}"
    if report.variances:
        yield f"{'Differs from its check (only the first figure counts)':<60}lineledger variance"
        yield from (f"  {line}" for line in map(variance.line, report.variances[:MAX_VARIANCES]))
    healed = [f"{report.tallies[name]:,} {words}" for name, words in TALLIES if report.tallies.get(name)]
    if calls["retries"] or calls["read_backs"]:
        healed.append(f"{calls['retries']} retries and {calls['read_backs']} read-backs at the ERP")
    if report.restarts:
        healed.append(f"{report.restarts} restarts of workers")
    yield f"Healed by itself  {', '.join(healed) or 'nothing'}"
    yield from fell.lines(report.falls, report.zone)
    yield f"Quality  {report.quality['lots']} lots, {report.quality['held']} on hold"
    if report.late:
        shown = "; ".join(f"{_grouped(amount)} {unit} {kind} ({orders})" for kind, unit, amount, orders in report.late)
        yield f"Month-end if closed now: {shown} would miss the period"
    yield f"Speed    {report.rate:,.0f} raw/s once the stages were up; ran {report.seconds:.1f} s"
    if report.files:
        yield f"Open     {'   '.join(report.files)}" + (
            f"   Try: lineledger trace {report.example}{_with(report)}" if report.example else ""
        )


def _with(report: Report, before: str = "", after: str = "") -> str:
    """What a command needs to find this run's ledger."""
    return "" if report.out == str(DEFAULT_OUT) else f"{before} --out {report.out}{after}"


def balance_lines(balances: Iterable[tuple[str, str, Balance]]) -> Iterator[str]:
    """The balance as a table: a line per kind and unit, a column per place where its quantity can be."""
    rows = sorted(balances, key=lambda row: _rank(row[:2]))
    covered = any(balance.covered for _, _, balance in rows)
    columns = [
        "recorded =",
        "posted +",
        "waiting +",
        "held +",
        "parked +",
        "pending +",
        *(["covered +"] if covered else []),
        "carry",
    ]
    yield " " * 18 + "".join(f"{name:>14}" for name in columns)
    yield from (_balance_line(kind, unit, balance, covered) for kind, unit, balance in rows)


def _reached(found: Finding) -> str:
    """I7, as it was found: names and values of process values in the requests that really left."""
    if not found.requests:
        return "no ERP was called"
    return f"{len({leak.canary for leak in found.leaks})} reached the ERP, by {found.requests:,} requests looked at"


def _balance_line(kind: str, unit: str, balance: Balance, covered: bool) -> str:
    values = [balance.recorded, balance.posted, balance.waiting, balance.held, balance.parked, balance.pending]
    values += [balance.covered] if covered else []
    cells = "".join(f"{_grouped(value):>14}" for value in [*values, balance.carry])
    note = f"   {_grouped(balance.blocked)} of posted are in blocked stock" if balance.blocked else ""
    refused = {state: getattr(balance, state) for state in REFUSED}
    note += "".join(f"   {_grouped(quantity)} of parked are {state}" for state, quantity in refused.items() if quantity)
    return f"{kind:<14}{unit:<4}{cells}{note}"


def _grouped(value: Fraction) -> str:
    text_ = quantity_text(value)
    whole, dot, rest = text_.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole not in ("-0",) else text_


def _proof_lines(report: Report) -> Iterator[str]:
    proof, verdict = report.proof, "EXACT" if report.proof.exact else "NOT EXACT"
    for unit, counted_ in sorted(proof.counted.items()):
        made = [entry for entry in proof.unattributed if entry.made and entry.destination.unit == unit]
        counts = sum((entry.quantity for entry in made if entry.is_count), Fraction(0))
        lost = sum((entry.quantity for entry in made if not entry.is_count), Fraction(0))
        of_none = f", {_grouped(lost)} of them of no order" if lost else ""
        yield f"Counted {_grouped(counted_ - counts)} {unit}{of_none}; every total is in its account    {verdict}"
        if counts:
            shown = f"{_grouped(counts)} counts while no run was open (how many {unit} one makes, only a run says)"
            yield f"  not in it: {shown}: {_where(made)}"
    for entry in proof.unattributed:
        if entry.is_undecided:
            shown = f"{_grouped(entry.quantity)} {entry.destination.unit} of {entry.equipment} {entry.destination.origin}"
            yield f"Undecided {shown}: counted nowhere until somebody decides"
    yield from (f"  differs: {difference}" for difference in proof.differences[:20])
    yield from erp_check.lines_of(report.erp_check)
    for one in report.refused_inputs:
        yield f"{one.name}: {one.refused:,} of {one.records:,} records were refused, most of them {one.code}    NOT EXACT"
    if report.doubtful:
        yield "A worker died; the embedded broker never aborts what it had begun: run again, or give --bootstrap    NOT PROVED"


def _where(entries: Iterable[Unattributed]) -> str:
    """`STP-02 24, IMM-04 3`: equipment and its counts, the most first."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for entry in entries:
        if entry.is_count:
            sums[entry.equipment] += entry.quantity
    shown = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    more = f" and {len(shown) - MAX_EQUIPMENT} more" if len(shown) > MAX_EQUIPMENT else ""
    return ", ".join(f"{name} {_grouped(count)}" for name, count in shown[:MAX_EQUIPMENT]) + more


def _local(micros: int, zone: str, form: str = "%d %b %Y %H:%M") -> str:
    return datetime.fromtimestamp(micros / 1e6, ZoneInfo(zone)).strftime(form) if micros else "-"


def as_json(report: Report) -> dict[str, Any]:
    names = ("recorded", "posted", "waiting", "held", "parked", "pending", "covered", "carry", "blocked")
    return {
        "plant": report.plant,
        "exact": report.exact,
        "seconds": round(report.seconds, 3),
        "raw_per_second": round(report.rate),
        "raw": report.raw,
        "calls": report.calls,
        "telemetry": {
            "requests": report.telemetry.requests,
            "looked_for": report.telemetry.looked_for,
            "leaks": [{"request": leak.request, "canary": leak.canary, "form": leak.form} for leak in report.telemetry.leaks],
        },
        "balances": [
            {"kind": kind, "unit": unit, **{name: exact_text(getattr(balance, name)) for name in names}}
            for kind, unit, balance in report.balances
        ],
        "counted": {unit: exact_text(value) for unit, value in report.proof.counted.items()},
        "unattributed": [
            {
                "equipment": entry.equipment,
                "code": entry.code,
                "business_date": entry.destination.business_date,
                "quantity": exact_text(entry.quantity),
                "unit": entry.unit,
                "age_s": (report.last_at - entry.total.first_at) // 1_000_000,
            }
            for entry in report.proof.unattributed
        ],
        "differences": [*report.proof.differences, *report.erp_check.get("differences", [])],
        "erp": report.erp_check,
        "needs": [
            {"what": need.what, "since": need.since, "owner": need.owner, "command": need.command} for need in report.needs
        ],
        "carries": carries.as_json(report.carries),
        "books": books_as_json(report.books),
        "late": [
            {"kind": kind, "unit": unit, "quantity": exact_text(amount), "orders": orders}
            for kind, unit, amount, orders in report.late
        ],
        "healed": report.tallies,
        "falls": fell.as_json(report.falls),
        "variances": variance.as_json(report.variances),
        "refused_inputs": [
            {"input": one.name, "refused": one.refused, "records": one.records, "code": one.code} for one in report.refused_inputs
        ],
        "empty_inputs": report.empty_inputs,
        "restarts": report.restarts,
        "doubtful": report.doubtful,
        "files": report.files,
    }
