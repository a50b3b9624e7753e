"""How a live installation is: clocks and who holds them back, lag, configuration, ERP, what waits for people, workers.

Everything is read from topics, changelogs and consumer groups: no worker has to answer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.kafka.groups import Member
from app.ledger.questions.ages import span_text
from schemas.catalog import ENDPOINT
from schemas.records import AccountRow, EndpointRow, ExceptionRecord, PartitionPosition, PostingRow
from streams.clock import clocks_in
from tables.delivery.endpoint_marks import AWAY_SINCE, QUOTA_UNTIL
from tables.delivery.endpoint_orders import sentence
from tables.delivery.posting_state import ACCEPTED, CANCELLED, ERP_QUOTA, HELD, PARKED, REJECTED, RETRY, UNKNOWN
from tables.orders.account import stops

LATE_S = 120
"""A clock that is further behind is a problem: live ticks come each second."""
NO_ANSWER = frozenset({"ERP_UNREACHABLE", "ERP_TIMEOUT", "CONNECTION_LOST", "ERP_NO_ANSWER", "ERP_ACCESS", "ERP_LOGIN_REFUSED"})
"""Codes of attempts to which the ERP gave no usable answer: after several in a row delivery stops calling for a while."""
CLOCKED = ("equipment", "lots", "orders", "delivery")
NEEDS_SOMEBODY = (PARKED, REJECTED, HELD)


@dataclass(slots=True, frozen=True)
class SeenInstallation:
    """What was read of an installation. `stages`: fold name -> inbox topic (without prefix)."""

    stages: Mapping[str, str]
    positions: Mapping[str, Mapping[int, PartitionPosition]]
    partitions: Mapping[str, int]
    ends: Mapping[tuple[str, int], int]
    """(fold name, partition) -> end of its inbox."""
    members: Mapping[str, Sequence[Member]]
    accounts: Sequence[AccountRow]
    postings: Sequence[PostingRow]
    letters: Sequence[ExceptionRecord]
    """Dead letters that are open."""
    needs: Mapping[str, Sequence[str]]
    """Plant -> codes of what else needs somebody, as far as the rows of orders say it."""
    now: int
    """Wall clock, microseconds."""
    orders: Mapping[str, EndpointRow] = field(default_factory=dict)
    """By ERP endpoint: what people said may be sent to it."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Plant -> the endpoint that its configuration names."""
    places: Mapping[str, int] = field(default_factory=dict)
    """Endpoint -> partition of delivery, as far as that is known here."""
    books_lag: int | None = None
    """Records that the books have not read; None: nobody keeps books of this installation."""


@dataclass(slots=True)
class StageStatus:
    stage: str
    workers: list[str]
    """Instance (or client) and host of each process."""
    lag: int
    unowned: list[int]
    """Partitions that nobody has."""


@dataclass(slots=True)
class PlantStatus:
    plant: str
    clock: int
    """Of orders, microseconds; 0: it has not begun."""
    behind_s: int
    held_back_by: str
    configuration: str
    elsewhere: dict[str, str]
    """Stage/partition -> the other configuration that it has, for now."""
    queue: dict[str, int]
    """Postings that are not in the ERP yet, by state."""
    oldest_s: int
    """Since the cut of the oldest of them."""
    circuit: str
    endpoint: str
    """Of the ERP that it posts to now."""
    stopped: dict[str, str]
    """Of the endpoints that it has postings for: by which order of a person nothing (new) is sent. Empty: by none."""
    quota: dict[str, int]
    """Of the endpoints whose quota is used up: until when nothing of it comes back, microseconds."""
    codes: dict[str, int]
    """Why they are where they are; ERP_QUOTA: all that wait for such an endpoint."""
    parked: dict[str, int]
    """Accounts and postings that wait for somebody, by code."""
    dead_letters: dict[str, int]
    """Open ones, by code."""
    needs: dict[str, int]
    """What else of its orders and rules needs somebody, by code."""


@dataclass(slots=True)
class Status:
    plants: list[PlantStatus]
    stages: list[StageStatus]
    problems: list[str] = field(default_factory=list)
    """What stands still, a sentence each."""
    books_lag: int | None = None
    """As the process of the books told its group, every few seconds; None: there are none."""

    @property
    def needs_attention(self) -> bool:
        """Something stands still, or waits for people."""
        return bool(self.problems) or any(plant.parked or plant.dead_letters or plant.needs for plant in self.plants)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def status_of(seen: SeenInstallation) -> Status:
    plants = sorted({plant for state in seen.positions.get("orders", {}).values() for plant in state.configurations})
    found = Status([_plant(seen, plant) for plant in plants], [_stage(seen, name) for name in seen.stages])
    found.books_lag = seen.books_lag
    found.problems = list(_problems(found))
    return found


def _stage(seen: SeenInstallation, name: str) -> StageStatus:
    positions, count = seen.positions.get(name, {}), seen.partitions[name]
    owned = {partition for member in seen.members.get(name, ()) for _, partition in member.partitions}
    lag = 0
    for partition in range(count):
        position = positions.get(partition)
        lag += max(0, seen.ends.get((name, partition), 0) - (position.next_offset if position is not None else 0))
    workers = [f"{member.instance or member.client}@{member.host.strip('/')}" for member in seen.members.get(name, ())]
    return StageStatus(name, sorted(workers), lag, [partition for partition in range(count) if partition not in owned])


def _plant(seen: SeenInstallation, plant: str) -> PlantStatus:
    clock, holder = _clock(seen, plant)
    hashes = {
        f"{stage}/{partition}": state.configurations[plant]
        for stage in CLOCKED
        for partition, state in sorted(seen.positions.get(stage, {}).items())
        if plant in state.configurations
    }
    ahead = max(seen.positions["orders"].items(), key=lambda entry: _ticks(entry[1], plant).get(_slowest(entry[1], plant), 0))
    in_force = hashes.get(f"orders/{ahead[0]}", "")
    waiting = [row for row in seen.postings if row.posting.plant == plant and row.state not in (ACCEPTED, CANCELLED)]
    queued = [row for row in waiting if row.state not in NEEDS_SOMEBODY]
    parked = Counter(one.code for row in seen.accounts if row.plant == plant for one in stops(row))
    parked.update(row.code or row.state for row in waiting if row.state in NEEDS_SOMEBODY and not row.replaced_by)
    unanswered = [row for row in queued if row.state in (RETRY, UNKNOWN) and row.code in NO_ANSWER]
    endpoint = seen.endpoints.get(plant, ENDPOINT)
    waited_for = sorted({endpoint, *(row.posting.endpoint for row in queued)})
    spent = {name: until for name in waited_for if (until := _quota_until(seen, name)) > seen.now}
    codes = Counter(row.code for row in queued if row.code)
    codes.update(ERP_QUOTA for row in queued if row.posting.endpoint in spent)
    return PlantStatus(
        plant=plant,
        clock=clock,
        behind_s=max(0, seen.now - clock) // 1_000_000 if clock else 0,
        held_back_by=holder,
        configuration=in_force,
        elsewhere={name: hash_ for name, hash_ in hashes.items() if hash_ != in_force},
        queue=dict(Counter(row.state for row in queued)),
        oldest_s=max(0, seen.now - min((row.posting.cut for row in queued), default=seen.now)) // 1_000_000,
        circuit="no answer" if unanswered or any(_away(seen, name) for name in waited_for) else "closed",
        endpoint=endpoint,
        stopped={name: order for name in waited_for if (order := sentence(seen.orders.get(name)))},
        quota=spent,
        codes=dict(codes),
        parked=dict(sorted(parked.items())),
        dead_letters=dict(sorted(Counter(letter.code for letter in seen.letters if letter.plant == plant).items())),
        needs=dict(sorted(Counter(seen.needs.get(plant, ())).items())),
    )


def _away(seen: SeenInstallation, endpoint: str) -> bool:
    """Delivery found out that the ERP answers nobody."""
    return any(AWAY_SINCE in state.marks for state in _positions_of(seen, endpoint))


def _quota_until(seen: SeenInstallation, endpoint: str) -> int:
    """Nothing of what is used up comes back before; 0: it is not used up."""
    return max((state.marks.get(QUOTA_UNTIL, 0) for state in _positions_of(seen, endpoint)), default=0)


def _positions_of(seen: SeenInstallation, endpoint: str) -> list[PartitionPosition]:
    """Delivery's of this endpoint. Where its place is not known here: all."""
    place = seen.places.get(endpoint)
    return [state for partition, state in seen.positions.get("delivery", {}).items() if place is None or partition == place]


def _ticks(state: PartitionPosition, plant: str) -> dict[str, int]:
    """Of the upstreams that count: what is behind the clock is silent and left out, or joins."""
    reached = state.reached.get(plant, 0)
    return {upstream: at for (name, upstream), at in clocks_in(state.clocks) if name == plant and at >= reached}


def _slowest(state: PartitionPosition, plant: str) -> str:
    ticks = _ticks(state, plant)
    return min(ticks, key=lambda name: (ticks[name], name), default="")


def _clock(seen: SeenInstallation, plant: str) -> tuple[int, str]:
    """Of orders: the slowest partition's slowest upstream; behind an equipment partition, the one that it waits for itself."""
    slowest = [
        (_ticks(state, plant)[_slowest(state, plant)], partition, _slowest(state, plant))
        for partition, state in seen.positions.get("orders", {}).items()
        if _ticks(state, plant)
    ]
    if not slowest:
        return 0, "nobody has ticked yet"
    at, partition, upstream = min(slowest)
    stage, _, number = upstream.rpartition("/")
    if stage == "equipment/equipment.inbox":
        state = seen.positions.get("equipment", {}).get(int(number))
        behind = _slowest(state, plant) if state is not None else ""
        if state is not None and behind and _ticks(state, plant)[behind] <= at:
            return at, behind
    return at, f"{upstream} (as orders partition {partition} has read it)"


def _problems(found: Status) -> Iterator[str]:
    for stage in found.stages:
        if not stage.workers:
            yield f"{stage.stage} has no worker; start `lineledger worker {stage.stage.partition('.')[0]}`"
        elif stage.unowned:
            yield f"{stage.stage}: nobody has partition {', '.join(map(str, stage.unowned))}"
    for plant in found.plants:
        if plant.clock and plant.behind_s > LATE_S:
            yield f"{plant.plant}: the clock is {span_text(plant.behind_s)} behind, held back by {plant.held_back_by}"
        for name, order in plant.stopped.items():
            yield f"{plant.plant}: the ERP `{name}` is {order}; `lineledger erp resume {name}` ends it"
        if plant.circuit != "closed":
            codes = ", ".join(sorted(NO_ANSWER & plant.codes.keys()))
            yield f"{plant.plant}: the ERP does not answer ({codes}); its oldest posting waits for {span_text(plant.oldest_s)}"


def lines_of(found: Status) -> list[str]:
    lines = []
    for plant in found.plants:
        other = f"   still elsewhere: {', '.join(plant.elsewhere)}" if plant.elsewhere else ""
        stopped = "".join(f"{name} is {order}; " for name, order in plant.stopped.items())
        stopped += "".join(f"the quota of {name} is used up; " for name in plant.quota)
        queue = f"{_counts(plant.queue)}, oldest {span_text(plant.oldest_s)}" if plant.queue else "empty"
        codes = f"   {_counts(plant.codes)}" if plant.codes else ""
        lines += [
            f"plant {plant.plant}",
            f"  clock          {span_text(plant.behind_s)} behind the wall clock, held back by {plant.held_back_by}",
            f"  configuration  {plant.configuration[:12]}{other}",
            f"  ERP            {stopped}circuit {plant.circuit}; queue: {queue}{codes}",
            f"  parked         {_counts(plant.parked) or 'nothing'}",
            f"  dead letters   {_counts(plant.dead_letters) or 'none open'}",
            f"  needs somebody {', '.join(_waits(plant)) or 'nothing'}; of machines `lineledger parked` tells",
        ]
    lines.append("stages")
    for stage in found.stages:
        lines.append(f"  {stage.stage:<28} lag {stage.lag:>8}   workers {', '.join(stage.workers) or 'none'}")
    if found.books_lag is not None:
        lines.append(f"  {'books':<28} lag {found.books_lag:>8}")
    lines += [f"PROBLEM  {sentence}" for sentence in found.problems]
    return lines


def _waits(plant: PlantStatus) -> Iterator[str]:
    """What waits for people, with the command that shows it."""
    if plant.parked:
        yield f"{sum(plant.parked.values())} parked (`lineledger parked`)"
    if plant.dead_letters:
        yield f"{sum(plant.dead_letters.values())} dead letters (`lineledger exceptions`)"
    if plant.needs:
        yield _counts(plant.needs)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
