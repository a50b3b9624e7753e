"""plant.yaml: the plant, its calendar, sources, equipment and clock. Owner: the plant's IT."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from schemas.configuration.counters import Counter
from schemas.configuration.erp_source import ERP_SOURCE, erp_source
from schemas.configuration.mapping import Expect, Source
from schemas.configuration.values import (
    Conversion,
    Day,
    Duration,
    Flag,
    Name,
    OneOrMany,
    Pattern,
    SecretName,
    Section,
    WallTime,
    Whole,
    Zone,
)

MAX_INT64 = 2**63 - 1
Names = Annotated[list[str], OneOrMany]


class Plant(Section):
    id: Name
    zone: Zone = "UTC"
    """IANA zone of the plant's wall clock."""
    quantity_from: Literal["counters", "declarations"] = "counters"
    """The one authority for quantities; the other one is a check. An operation of an order may say otherwise."""
    pallets: Literal["check_only", "ignore"] = "check_only"


class CalendarSection(Section):
    shifts: dict[str, WallTime] = Field(default_factory=lambda: {"day": "00:00"}, min_length=1)
    """Name -> `06:00` (it ends where the next one begins) or `06:00-14:00`, local wall times."""
    business_date: Literal["day_shift_began", "day_shift_ended", "calendar_day"] = "day_shift_began"
    outside_shift: Literal["previous", "next", "calendar_day"] = "previous"
    """Whom the time between shifts and on days off belongs to; calendar_day: no shift, day by day."""
    days_off: list[Day] = Field(default_factory=list)

    @field_validator("shifts")
    @classmethod
    def _begin_at_different_times(cls, shifts: dict[str, str]) -> dict[str, str]:
        if len({text[:5] for text in shifts.values()}) < len(shifts):
            raise ValueError("two shifts begin at the same time")
        return shifts


class MasterData(Section):
    """Where orders and materials come from: pulled from the ERP, or records of a source."""

    orders: Literal["erp", "topic"] = "topic"
    materials: Literal["erp", "topic"] = "topic"

    @property
    def pulled(self) -> bool:
        """Some of it comes from the ERP by its adapter, as the source `erp`."""
        return "erp" in (self.orders, self.materials)


class Mes(Section):
    """The system of the shop floor, to which released orders go (topic mes.orders)."""

    acknowledge_within_us: Duration = Field(default=0, alias="acknowledge_within")
    """An order that it neither takes nor refuses so long raises an alarm (ORDER_NOT_ACKNOWLEDGED); 0: no alarm."""
    work_centres: dict[str, Annotated[list[Name], OneOrMany]] = Field(default_factory=dict)
    """Work centre of the ERP -> the plant's equipment. One that is called like an equipment is that equipment."""


class Lots(Section):
    clean: Annotated[list[Literal["trim", "upper", "lower", "strip_zeros"]], OneOrMany] = Field(
        default_factory=lambda: list[Literal["trim", "upper", "lower", "strip_zeros"]](["trim"])
    )
    """Applied to every lot field of every event, in this order."""
    pattern: Pattern = ""
    """What a cleaned lot looks like as a whole, a regular expression; anything else is no lot. Empty: everything is one."""
    erp_max_length: Whole = 10
    missing: Literal["park", "ignore"] = "park"
    """A component lot that a batch-managed material needs and nobody named."""


class Equipment(Section):
    alias: Names = Field(default_factory=list)
    """Other names under which sources know it."""
    receipt_location: str = ""
    counters: dict[Name, Counter] = Field(default_factory=dict)


class Clock(Section):
    step_us: Duration = Field(default=60_000_000, alias="step")
    future_us: Duration = Field(default=300_000_000, alias="future")
    """A received_at further ahead than this is a dead letter."""
    patience_us: Duration = Field(default=300_000_000, alias="patience")
    """A partition silent this long stops holding its plant back (with a record in the log)."""


class Attribution(Section):
    run_grace_us: Duration = Field(default=0, alias="run_grace")
    """How long after its end a run still owns a count."""
    late_horizon_us: Duration = Field(default=604_800_000_000, alias="late_horizon")
    """How late a record may be; older ones are dead-lettered TOO_LATE."""
    shared_time: Literal["factor", "equal", "first"] = "factor"
    """Whose time it is while a run makes pieces of several orders: each order's part by the factors of its outputs, an equal part
    each, or all of it the order's of the run, else of its first output."""


class PlantConfig(Section):
    plant: Plant
    calendar: CalendarSection = Field(default_factory=CalendarSection)
    master_data: MasterData = Field(default_factory=MasterData)
    mes: Mes = Field(default_factory=Mes)
    units: dict[str, list[Conversion]] = Field(default_factory=dict)
    """Material -> conversions as exact fractions, e.g. `1 BOX = 48 PC`."""
    lots: Lots = Field(default_factory=Lots)
    sources: dict[Name, Source] = Field(min_length=1)
    tables: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Name -> (value -> value); `"*"` is what all other values become."""
    equipment: dict[str, Equipment] = Field(default_factory=dict)
    """`"*"` gives what every other equipment has; without it an unknown equipment is refused."""
    clock: Clock = Field(default_factory=Clock)
    attribution: Attribution = Field(default_factory=Attribution)
    private: list[str] = Field(default_factory=list)
    private_key: SecretName = ""
    """Name of the secret that keys the hashes of private fields; empty: the plant's id (guessable, not for production)."""
    shadow: Flag = False
    """Post nothing; only compare with what the ERP has."""

    @model_validator(mode="before")
    @classmethod
    def _pulled_from_the_erp(cls, data: Any) -> Any:
        """`master_data: erp` has a source of its own. A stored configuration has it already."""
        if not isinstance(data, dict) or not isinstance(data.get("sources"), dict):
            return data
        plant, wanted = data.get("plant"), data.get("master_data")
        if not isinstance(plant, dict) or not isinstance(wanted, dict) or "erp" not in wanted.values():
            return data
        source = erp_source(str(plant.get("id", "")), wanted.get("orders") == "erp", wanted.get("materials") == "erp")
        own = data["sources"].get(ERP_SOURCE)
        if own is not None and Source.model_validate(own) != Source.model_validate(source):
            raise ValueError(f"`sources.{ERP_SOURCE}` is what `master_data: erp` pulls; give your source another name")
        return {**data, "sources": {**data["sources"], ERP_SOURCE: source}}

    @model_validator(mode="after")
    def _silence_is_noticed_in_time(self) -> PlantConfig:
        for name, source in self.sources.items():
            if source.expect is not None and source.expect.every_us >= self.attribution.late_horizon_us:
                raise ValueError(
                    f"`sources.{name}.expect.every` has to be shorter than `attribution.late_horizon`: "
                    "until silence is noticed, what comes later is TOO_LATE"
                )
        return self

    @property
    def expected(self) -> dict[str, Expect]:
        """Source -> which silence of it is an alarm."""
        return {name: source.expect for name, source in self.sources.items() if source.expect is not None}

    def equipment_for(self, name: str) -> Equipment | None:
        """The equipment's entry with the counters of `"*"` where it has none of that name; None: unknown here."""
        own, common = self.equipment.get(name), self.equipment.get("*")
        if own is None or common is None:
            return own or common
        return own.model_copy(
            update={
                "counters": {**common.counters, **own.counters},
                "receipt_location": own.receipt_location or common.receipt_location,
            }
        )

    def counts_gross(self, equipment: str) -> bool:
        """Does one of its counters count all pieces? Then one that counts good ones is a check."""
        entry = self.equipment_for(equipment)
        return entry is not None and any(counter.counts == "gross" for counter in entry.counters.values())

    def counter_for(self, equipment: str, counter: str) -> Counter | None:
        """The counter's definition on this equipment; None: not configured."""
        entry = self.equipment_for(equipment)
        return None if entry is None else entry.counters.get(counter)
