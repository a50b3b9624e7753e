"""What a page for Grafana is made of: figures in its first row, plots below."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as building
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode, VariableRefresh

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH, TALL, LOW = 24, 8, 4
"""Grafana's grid: a page is 24 wide."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One query of a panel: what it asks, and what its lines are called."""

    asks: str
    named: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Figures over time. `unit`: Grafana's name of it. `what`: what a reader should make of it."""

    title: str
    what: str
    curves: tuple[Curve, ...]
    unit: str = "short"
    stacked: bool = False

    def panel(self, width: int) -> timeseries.Panel:
        made = timeseries.Panel().title(self.title).description(self.what).datasource(SOURCE).unit(self.unit)
        made = made.span(width).height(TALL).min(0).fill_opacity(10).show_points(common.VisibilityMode.NEVER)
        if self.stacked:
            made = made.stacking(building.StackingConfig().mode(common.StackingMode.NORMAL))
        for curve in self.curves:
            made = made.with_target(prometheus.Dataquery().expr(curve.asks).legend_format(curve.named))
        return made


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, red from `bad` on."""

    title: str
    what: str
    asks: str
    bad: float
    unit: str = "short"

    def panel(self, width: int) -> stat.Panel:
        steps = [Threshold(value=None, color="green"), Threshold(value=self.bad, color="red")]
        made = stat.Panel().title(self.title).description(self.what).datasource(SOURCE).unit(self.unit)
        made = made.span(width).height(LOW).color_mode(common.BigValueColorMode.BACKGROUND)
        made = made.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        return made.with_target(prometheus.Dataquery().expr(self.asks).instant())


@dataclass(frozen=True, slots=True)
class Board:
    """A page: figures in its first row, plots two in a row. `chosen`: labels that a reader chooses, each with its metric."""

    name: str
    title: str
    what: str
    figures: tuple[Figure, ...]
    plots: tuple[Plot, ...]
    chosen: tuple[tuple[str, str], ...] = ()

    def json(self, boards: Sequence["Board"]) -> str:
        """The file of the page. `boards`: all pages; the first one leads to the others, and they lead back to it."""
        page = dashboard.Dashboard(f"Lineledger: {self.title}").uid(f"lineledger-{self.name}").description(self.what)
        page = page.tags(["lineledger"]).refresh("30s").time("now-6h", "now").timezone("browser").editable()
        page = page.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        for label, metric in self.chosen:
            asked = dashboard.QueryVariable(label).label(label.capitalize()).query(f"label_values({metric}, {label})")
            asked = asked.datasource(SOURCE).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).multi(True).include_all(True)
            page = page.with_variable(asked)
        for link in boards if self is boards[0] else boards[:1]:
            if link is not self:
                address = f"/d/lineledger-{link.name}"
                page = page.link(dashboard.DashboardLink(link.title).url(address).keep_time(True))
        each = WIDTH // len(self.figures)
        for figure in self.figures[:-1]:
            page = page.with_panel(figure.panel(each))
        page = page.with_panel(self.figures[-1].panel(WIDTH - each * (len(self.figures) - 1)))  # the row is full
        for plot in self.plots:
            page = page.with_panel(plot.panel(WIDTH // 2))
        return JSONEncoder(sort_keys=True, indent=2).encode(page.build()) + "\n"


def shares(metric: str, label: str, by: str, chosen: str = "") -> tuple[Curve, ...]:
    """Half, most and nearly all observations of a histogram are below these lines."""
    rate = f"sum by ({', '.join(each for each in (by, 'le') if each)}) (rate({metric}_bucket{chosen}[5m]))"
    return tuple(Curve(f"histogram_quantile({share}, {rate})", f"{label} p{share * 100:.0f}") for share in (0.5, 0.95, 0.99))
