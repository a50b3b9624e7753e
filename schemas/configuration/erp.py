"""erp.yaml: how postings reach the ERP. Owner: the ERP team. Secrets stand here by reference only."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from schemas.catalog import ENDPOINT
from schemas.configuration.adapters import ADAPTERS, NO_ADAPTER, AdapterEntry
from schemas.configuration.rules import Kind
from schemas.configuration.values import Duration, Flag, Name, OneOrMany, Rate, SecretName, Section, Whole, one_of

_MAINTENANCE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun|daily) ([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
"""Nothing leaves this machine: http:// is no risk there."""
PLANNED_ADAPTERS = ("sap_s4", "rest")
_TIMES = ("machine_time", "setup_time", "labour_time")
_OF_KINDS: dict[str, tuple[str, ...]] = {
    "operations": ("yield",),
    "receipt": ("yield",),
    "reservation": ("consumption",),
    "unit": _TIMES,
    "decimals": _TIMES,
}
"""Settings of `book.KIND` that some kinds have."""
_SHORT_OF_STOCK = re.compile(r"park|retry \d+\s*(s|min|h|d)")


def _maintenance(value: str) -> str:
    if not _MAINTENANCE.fullmatch(value):
        raise ValueError(f"`{value}` is no maintenance window; write `Sun 02:00-06:00` or `daily 01:00-01:30`")
    return value


class Retry(Section):
    """Waiting times between attempts that definitely booked nothing."""

    first_us: Duration = Field(default=1_000_000, alias="first")
    at_most_us: Duration = Field(default=300_000_000, alias="at_most")
    give_up_us: Duration = Field(default=0, alias="give_up")
    """0: never; a posting then waits until it goes through or somebody decides."""


_MINUTE_US, _DAY_US = 60_000_000, 86_400_000_000


class ErpQuota(Section):
    """What may go to the ERP in any span of `per`: requests, the time that it takes to answer them, or both."""

    calls: Annotated[Whole, Field(ge=0, le=1_000_000_000)] = 0
    """0: any number."""
    processing_us: Duration = Field(default=0, alias="processing")
    """Between requests and their answers, added up; 0: any time."""
    per_us: Duration = Field(default=_DAY_US, alias="per")

    @model_validator(mode="after")
    def _says_something(self) -> ErpQuota:
        if not self.calls and not self.processing_us:
            raise ValueError("a quota states `calls`, `processing` or both, e.g. `{calls: 10000, per: 1 d}`")
        if 0 < self.processing_us < 1_000_000:
            raise ValueError("`processing` is at least 1 s")
        if not _MINUTE_US <= self.per_us <= _DAY_US:
            raise ValueError("`per` is from 1 min to 1 d; for shorter spans there is `calls_per_second`")
        return self


class Endpoint(Section):
    endpoint: Name = ENDPOINT
    """Which ERP of the installation: a name of `endpoints` in installation.yaml."""
    adapter: Annotated[str, one_of(*ADAPTERS, NO_ADAPTER)] = NO_ADAPTER
    """none: postings become due and stay; nothing is called."""
    url: str = ""
    """`${NAME}` is taken from the environment when the adapter starts; it is not part of the configuration's hash."""
    secret: SecretName = ""
    ca: str = ""
    """File of the authority that signed the ERP's certificate; empty: the system's. `${NAME}` as in `url`, here and below."""
    certificate: str = ""
    """File with this program's client certificate (and its key, unless `key` names another file)."""
    key: str = ""
    key_secret: SecretName = ""
    """The key's password."""
    insecure: Flag = False
    """Allow http:// to another machine: everything, the secret included, can be read on the way."""
    calls_per_second: Rate = Fraction(10)
    concurrency: Annotated[Whole, Field(ge=1, le=256)] = 4
    quota: Annotated[list[ErpQuota], OneOrMany] = Field(default_factory=list)
    """All of them hold."""
    timeout_us: Duration = Field(default=30_000_000, alias="timeout")
    commit_horizon_us: Duration = Field(default=60_000_000, alias="commit_horizon")
    """How long after its last byte a call may still commit."""
    pull_every_us: Duration = Field(default=60_000_000, alias="pull_every")
    """How often a live installation asks for master data (`master_data: erp`)."""
    idempotent: Flag | None = None
    """None: as the adapter says."""
    retry: Retry = Field(default_factory=Retry)
    maintenance: Annotated[list[Annotated[str, AfterValidator(_maintenance)]], OneOrMany] = Field(default_factory=list)
    lines_per_document: Annotated[Whole, Field(ge=1, le=1000)] = 50

    @property
    def stated(self) -> tuple[str, str]:
        """Adapter and address as they are written: which ERP is meant, before names of the environment are filled in."""
        return self.adapter, self.url

    @property
    def entry(self) -> AdapterEntry | None:
        """What the register says of its adapter; None: nothing is called."""
        return ADAPTERS.get(self.adapter)

    @property
    def tells_repetitions(self) -> bool:
        """A posting may go again under its id: as stated, else as the adapter says. The executor knows the adapter itself and
        refuses a resend that would double."""
        return self.idempotent if self.idempotent is not None else self.entry is not None and self.entry.idempotent

    @field_validator("adapter", mode="before")
    @classmethod
    def _is_built(cls, adapter: Any) -> Any:
        """An adapter that is planned and that this version does not have is refused here: not when postings are due."""
        if adapter in PLANNED_ADAPTERS:
            built = ", ".join(ADAPTERS)
            raise ValueError(
                f"ADAPTER_UNSUPPORTED: `adapter: {adapter}` is not built in this version; use {built} or {NO_ADAPTER}"
            )
        return adapter


class Booking(Section):
    """How postings of one kind are booked."""

    by: Literal["confirmation", "goods_movement", "production_output", "none"] = "confirmation"
    """none: the kind is recorded and never posted."""
    operations: Literal["milestones", "each", "last"] = "each"
    receipt: Literal["explicit", "erp_automatic", "none"] = "explicit"
    """erp_automatic: the ERP makes the receipt, and we check that it came.
    Of yield only, as is `operations`: no other kind is confirmed by operation or received."""
    reservation: Literal["required", "optional", "none"] = "optional"
    """Of consumption only. required: what reduces no reservation item is parked; none: no posting names one."""
    short_of_stock: str = "retry 4 h"
    unit: str = ""
    decimals: Annotated[Whole, Field(ge=0, le=9)] | None = None

    @model_validator(mode="after")
    def _short_of_stock(self) -> Booking:
        if not _SHORT_OF_STOCK.fullmatch(self.short_of_stock):
            raise ValueError(f"`short_of_stock: {self.short_of_stock}` is not `park` or `retry <duration>`")
        return self


class Identifier(Section):
    """How a plant identifier is written for the ERP. Leading zeros to `pad`, for digits only."""

    pad: Annotated[Whole, Field(ge=0, le=40)] = 0

    def erp(self, value: str) -> str:
        return value.zfill(self.pad) if value.isdecimal() else value


class Identifiers(Section):
    order: Identifier = Field(default_factory=Identifier)
    material: Identifier = Field(default_factory=Identifier)
    operation: Identifier = Field(default_factory=Identifier)
    scrap_reason: dict[str, str] = Field(default_factory=dict)
    """Plant reason -> ERP reason; `other` stands for those not listed."""
    unit: dict[str, str] = Field(default_factory=dict)
    """Plant unit -> ERP unit; units not listed are the same."""


class Periods(Section):
    close: str = ""
    """`2nd workday 12:00`, or empty: periods never close here (the ERP refuses and we re-date)."""
    sweep_before_us: Duration = Field(default=7_200_000_000, alias="sweep_before")
    late: Literal["first_day_of_open_period", "park"] = "first_day_of_open_period"


class ErpConfig(Section):
    erp: Endpoint = Field(default_factory=Endpoint)
    book: dict[Kind, Booking] = Field(default_factory=dict)
    identifiers: Identifiers = Field(default_factory=Identifiers)
    periods: Periods = Field(default_factory=Periods)

    @model_validator(mode="after")
    def _settings_of_their_kind(self) -> ErpConfig:
        """A setting that this version reads for other kinds only is refused: it would be silence where an effect is meant."""
        for kind, booking in self.book.items():
            for setting, kinds in _OF_KINDS.items():
                if kind not in kinds and getattr(booking, setting) != Booking.model_fields[setting].default:
                    raise ValueError(f"`book.{kind}.{setting}` says nothing: `{setting}` is of {', '.join(kinds)}")
        return self

    def booking(self, kind: Kind) -> Booking:
        """How `kind` is booked: what `book:` says, else a goods movement for consumption, a confirmation for others."""
        default = Booking(by="goods_movement") if kind == "consumption" else Booking()
        return self.book.get(kind, default)
