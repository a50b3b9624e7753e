"""rules.yaml: what counts, when it is posted, what holds and completed orders mean. Owners: controlling, logistics."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from schemas.configuration.triggers import Cut, MeasureText, Trigger
from schemas.configuration.values import Duration, OneOrMany, Section, Whole, without_retired

Kind = Literal["yield", "scrap", "rework", "consumption", "machine_time", "setup_time", "labour_time"]
KINDS: tuple[Kind, ...] = ("yield", "scrap", "rework", "consumption", "machine_time", "setup_time", "labour_time")
Mode = Literal["declared", "metered", "meter", "ledger_backflush", "erp_backflush"]
HoldAnswer = Literal["into_blocked_stock", "into_inspection_stock", "wait", "block", "post"]


class LateScrap(Section):
    """Before the close late scrap corrects the receipt: -n yield and +n scrap in one document."""

    after_close: Literal["scrap_from_stock", "park"] = "scrap_from_stock"

    @model_validator(mode="before")
    @classmethod
    def _before_close(cls, data: Any) -> Any:
        return without_retired(data, "before_close", "correct_receipt")


class Yield(Section):
    is_: Literal["gross - scrap - rework", "gross - scrap", "gross"] = Field(default="gross - scrap - rework", alias="is")
    late_scrap: LateScrap = Field(default_factory=LateScrap)


class Consumption(Section):
    """How a component's consumption is known. `component`: a material number, a position or `*`."""

    component: str
    by: Mode
    basis: Literal["gross", "yield"] = "gross"
    operation: str = ""
    """Empty: every operation."""

    @property
    def mode(self) -> str:
        """The mode as orders name it: `meter` is `metered`."""
        return "metered" if self.by == "meter" else self.by


class PostRule(Section):
    """When and how accounts of `kind` are posted. Match fields that are empty match everything."""

    kind: Kind
    when: Annotated[list[Trigger], OneOrMany, Field(min_length=1)]
    at_least: MeasureText | None = None
    """Less than this waits for the next trigger; completion and the final cut post what is there."""
    corrections: Literal["net", "reversal"] = "net"
    issue_location: str = ""
    receipt_location: str = ""
    unit: str = ""
    """The ERP unit; empty: the material's (or the activity's) own."""
    decimals: Annotated[Whole, Field(ge=0, le=9)] | None = None
    order: str = ""
    operation: str = ""
    material: str = ""
    order_type: str = ""
    line: int = 0
    """Line in rules.yaml; 0: unknown. For people only: not part of the hash."""

    def matches(self, kind: str, order: str, operation: str, material: str, order_type: str = "") -> bool:
        return (
            self.kind == kind
            and self.order in ("", order)
            and self.operation in ("", operation)
            and self.material in ("", material)
            and self.order_type in ("", order_type)
        )

    @property
    def specificity(self) -> tuple[bool, bool, bool, bool]:
        """An order weighs more than a material, a material more than an operation, that more than an order type."""
        return bool(self.order), bool(self.material), bool(self.operation), bool(self.order_type)

    def __str__(self) -> str:
        return f"{self.kind} at {', '.join(str(trigger) for trigger in self.when)}"


class RuleAt(NamedTuple):
    """A rule and its line in rules.yaml (0: the built-in default, or unknown)."""

    rule: PostRule
    line: int


class OnHold(Section):
    """What is done with a posting of a lot on hold."""

    receipt: HoldAnswer = "into_blocked_stock"
    consumption: HoldAnswer = "post"
    scrap: HoldAnswer = "post"
    rework: HoldAnswer = "post"
    shipment: Literal["block", "notify"] = "block"
    """notify: quality.lot-states tells of the hold, wms.shipment-blocks does not."""
    failed_inspection: Literal["block", "notify"] = "block"
    """Severity of the hold that a failed inspection is, until a DispositionDecided accepts the lot."""

    @model_validator(mode="before")
    @classmethod
    def _times(cls, data: Any, info: ValidationInfo) -> Any:
        """Times name no lot, so that they never waited, with any value here. What an older version stored may say anything."""
        stored = info.mode == "json" and isinstance(data, dict) and data.get("times") in get_args(HoldAnswer)
        return without_retired({**data, "times": "post"} if stored else data, "times", "post")

    def answer(self, kind: str) -> HoldAnswer:
        """The answer for an account kind: yield is a receipt; times name no lot and never wait."""
        if kind == "yield":
            return self.receipt
        if kind.endswith("_time"):
            return "post"
        return {"scrap": self.scrap, "rework": self.rework}.get(kind, self.consumption)


class OrderRules(Section):
    over_delivery: str = "from_order"
    """from_order | unlimited | a percentage: `5`, also written `5%` or `5 %`."""
    excess: Literal["park", "post"] = "park"
    technically_completed: Literal["post_corrections", "post", "park"] = "post_corrections"
    bom: Literal["revision_of_run", "latest"] = "revision_of_run"
    consumption_tolerance: str = "10"
    """How far consumption may be from what the pieces need before the books ask: a percentage, or `any`. Posts nothing else."""

    @model_validator(mode="before")
    @classmethod
    def _closed(cls, data: Any) -> Any:
        return without_retired(data, "closed", "park")  # a closed order takes nothing in any ERP

    @field_validator("consumption_tolerance")
    @classmethod
    def _tolerance(cls, stated: str) -> str:
        percent = stated.removesuffix("%").rstrip()
        if stated == "any" or percent.replace(".", "", 1).isdecimal():
            return percent
        raise ValueError(f"`consumption_tolerance: {stated}` is not `any` or a percentage like 10")

    @property
    def consumption_share(self) -> Fraction | None:
        """The tolerance as a share of the need; None: any difference is fine."""
        return None if self.consumption_tolerance == "any" else Fraction(self.consumption_tolerance) / 100

    @field_validator("over_delivery")
    @classmethod
    def _limit(cls, stated: str) -> str:
        percent = stated.removesuffix("%").rstrip()
        if stated in ("from_order", "unlimited") or percent.replace(".", "", 1).isdecimal():
            return percent
        raise ValueError(f"`over_delivery: {stated}` is not from_order, unlimited or a percentage like 10")


def _default_rules() -> list[PostRule]:
    ends: list[Trigger] = [Cut(tag="shift_end"), Cut(tag="order_completed")]
    return [PostRule(kind=kind, when=ends) for kind in KINDS]


class RulesConfig(Section):
    yield_: Yield = Field(default_factory=Yield, alias="yield")
    consumption: list[Consumption] = Field(default_factory=list)
    post: list[PostRule] = Field(default_factory=_default_rules)
    on_hold: OnHold = Field(default_factory=OnHold)
    order: OrderRules = Field(default_factory=OrderRules)
    sweep_every: Duration = 0
    """0: no sweep beyond the rules' own triggers."""

    @field_validator("consumption")
    @classmethod
    def _one_mode_per_component(cls, consumption: list[Consumption]) -> list[Consumption]:
        modes: dict[tuple[str, str], str] = {}
        for entry in consumption:
            known = modes.setdefault((entry.component, entry.operation), entry.mode)
            if known != entry.mode:
                raise ValueError(f"component `{entry.component}` has two modes, {known} and {entry.mode}; keep one")
        return consumption

    def rule_for(self, kind: str, order: str, operation: str, material: str, order_type: str = "") -> RuleAt | None:
        """The most specific rule that matches (of equals the first), with its line; None: this kind is never posted."""
        found = [rule for rule in self.post if rule.matches(kind, order, operation, material, order_type)]
        best = max(found, key=lambda rule: rule.specificity, default=None)
        return None if best is None else RuleAt(best, best.line)

    def mode_for(self, component: str, position: str, operation: str) -> Consumption | None:
        """How a component is consumed: by its material number, then by its position, then by `*`; an entry for this
        operation before one for all. None: as the order's component says."""
        for name in (component, position, "*"):
            for at in (operation, ""):
                for entry in self.consumption:
                    if name and entry.component == name and entry.operation == at:
                        return entry
        return None
