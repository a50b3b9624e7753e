"""Pictures as SVG, without script: bars over time, a strip of a day, a graph of lots, the chain behind a posting.

Colours are classes of static/console.css, so that light and dark hold for pictures, too. Texts are escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 960


def _svg(height: int, title: str, parts: Iterable[str], width: int = WIDTH, role: str = "img") -> Markup:
    return Markup(  # noqa: S704 - texts in it are escaped where they are put in
        f'<svg class="picture" role="{role}" viewBox="0 0 {width} {height}" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


@dataclass(frozen=True, slots=True)
class Bar:
    """A column: its name below, and (class, value, what it is) from the bottom up."""

    name: str
    parts: Sequence[tuple[str, float, str]]

    @property
    def total(self) -> float:
        return sum(value for _, value, _ in self.parts)


def bars(title: str, columns: Sequence[Bar], limit: float | None = None) -> Markup:
    """Stacked columns; `limit`: a line across."""
    height, left, foot, head = 200, 56, 26, 10
    top = max([column.total for column in columns] + [limit or 0, 1])
    room, step = height - foot - head, (WIDTH - left) / max(1, len(columns))
    parts = [_text(left - 6, head + 10, f"{top:,.10g}", "end"), _text(left - 6, height - foot, "0", "end")]
    parts.append(f'<line class="axis" x1="{left}" x2="{WIDTH}" y1="{height - foot}" y2="{height - foot}"/>')
    every = max(1, len(columns) // 12)
    for number, column in enumerate(columns):
        x, y = left + number * step, float(height - foot)
        for kind, value, what in column.parts:
            tall = room * value / top
            y -= tall
            parts.append(
                f'<rect class="{kind}" x="{x + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" height="{tall:.1f}">'
                f"<title>{escape(column.name)}: {escape(what)}</title></rect>"
            )
        if number % every == 0:
            parts.append(_text(x + step / 2, height - 8, column.name, "middle"))
    if limit:
        y = height - foot - room * limit / top
        parts.append(f'<line class="limit" x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
    return _svg(height, title, parts)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a lane, in microseconds."""

    kind: str
    begin: int
    end: int
    what: str


def strip(title: str, begin: int, end: int, lanes: Mapping[str, Sequence[Stretch]], ticks: Sequence[tuple[int, str]]) -> Markup:
    """A day of a machine: a lane per kind of fact, time to the right. A span that lasts no time is a mark."""
    left, right, tall, gap = 110, 24, 26, 8
    height = 24 + len(lanes) * (tall + gap)
    scale = (WIDTH - left - right) / max(1, end - begin)
    parts = []
    for at, name in ticks:
        x = left + (at - begin) * scale
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="14" y2="{height}"/>')
        parts.append(_text(x, 10, name, "middle"))
    for number, (lane, spans) in enumerate(lanes.items()):
        y = 20 + number * (tall + gap)
        parts.append(_text(left - 8, y + tall / 2 + 4, lane, "end"))
        parts.append(f'<rect class="lane" x="{left}" y="{y}" width="{WIDTH - left - right}" height="{tall}"/>')
        for span in spans:
            since, until = max(begin, span.begin), min(end, span.end)
            if until < since:
                continue
            parts.append(
                f'<rect class="{escape(span.kind)}" x="{left + (since - begin) * scale:.1f}" y="{y}" '
                f'width="{max(1.5, (until - since) * scale):.1f}" height="{tall}"><title>{escape(span.what)}</title></rect>'
            )
    return _svg(height, title, parts)


@dataclass(frozen=True, slots=True)
class Node:
    """A box of a graph. `rank`: its column; `link`: where it leads; `kind`: class of its box."""

    name: str
    rank: int
    lines: Sequence[str]
    link: str = ""
    kind: str = "box"


def graph(title: str, nodes: Sequence[Node], edges: Iterable[tuple[str, str]]) -> Markup:
    """Boxes in columns by rank, with lines from left to right."""
    ranks = sorted({node.rank for node in nodes})
    columns = {rank: [node for node in nodes if node.rank == rank] for rank in ranks}
    box_width, box_height, gap_y = 190, 52, 12
    step = box_width + 60
    height = max([1, *(len(column) for column in columns.values())]) * (box_height + gap_y) + gap_y
    width = max(WIDTH, len(ranks) * step)
    place = {
        node.name: (ranks.index(rank) * step + 4, gap_y + number * (box_height + gap_y))
        for rank, column in columns.items()
        for number, node in enumerate(column)
    }
    parts = []
    for start, end in edges:
        if start in place and end in place:
            (x1, y1), (x2, y2) = place[start], place[end]
            parts.append(_edge(x1 + box_width, y1 + box_height / 2, x2, y2 + box_height / 2))
    for node in nodes:
        x, y = place[node.name]
        inner = f'<rect class="{node.kind}" x="{x}" y="{y}" width="{box_width}" height="{box_height}" rx="6"/>'
        for number, line in enumerate(list(node.lines)[:3]):
            inner += _text(
                x + 8,
                y + 17 + number * 15,
                line if len(line) <= 28 else line[:27] + "…",
                kind="strong" if number == 0 else "label",
            )
        parts.append(f'<a href="{escape(node.link)}">{inner}</a>' if node.link else inner)
    return _svg(int(height), title, parts, width, "group")  # its boxes are links, which nothing in an image may be


def _edge(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="edge" d="M{x1:.0f} {y1:.0f} C{x1 + 30:.0f} {y1:.0f} {x2 - 30:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"/>'
