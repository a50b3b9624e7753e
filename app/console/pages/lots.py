"""Lots: where a lot came from, where it went, what stops it; and all holds (Quality)."""

from collections.abc import Sequence

from app.console.asked import NotThere, Page, Question, part_of
from app.console.books import Books, Row
from app.console.pictures import Node, graph

DEPTH, NODES = 6, 60
"""A picture shows so many steps and lots; below it stands when there is more."""
Name = tuple[str, str]
STEPS = {
    1: "select child_material as material, child_lot as lot from genealogy"
    " where plant = :plant and material = :material and lot = :lot order by 1, 2 limit :most",
    -1: "select material, lot from genealogy where plant = :plant and child_material = :material and child_lot = :lot"
    " order by 1, 2 limit :most",
}


def lots(books: Books, asked: Question) -> Page:
    find = asked.query.get("find", "")
    sql = (
        "select * from lots where plant = :plant and (:find = '' or lot like :like or material like :like)"
        " order by held desc, material, lot"
    )
    part = part_of(books, sql, asked, plant=asked.plant, find=find, like=f"%{find}%")
    return Page("lots.html", "Lots", {"part": part, "find": find})


def lot(books: Books, asked: Question) -> Page:
    key = {"plant": asked.plant, "material": asked.path["material"], "lot": asked.path["lot"]}
    row = books.one_of("lots", **key)
    accounts = books.all_of("v_balance", "order_no, kind, account", **key)
    if row is None and not accounts:
        raise NotThere(key["lot"])
    up, up_edges, more_up = _walk(books, asked.plant, (key["material"], key["lot"]), -1)
    down, down_edges, more_down = _walk(books, asked.plant, (key["material"], key["lot"]), 1)
    shipped = [
        {"material": name[0], "lot": name[1], "delivery": each["delivery"]}
        for name in ((key["material"], key["lot"]), *down)
        for each in _deliveries(books, asked.plant, name)
    ]
    values = {
        "row": row,
        "key": key,
        "holds": books.all_of("holds", "active desc, hold, origin", **key),
        "exemptions": books.all_of("exemptions", "hold", **key),
        "inspections": books.all_of("inspections", "inspection", **key),
        "accounts": accounts,
        "stock": books.rows(
            "select m.location, p.stock_type, m.type, m.unit, m.scale, sum(m.amount) as amount from posting_movements m"
            " join postings p on p.plant = m.plant and p.posting_id = m.posting_id"
            " where m.plant = :plant and m.material = :material and m.lot = :lot and p.state = 'accepted'"
            " group by m.location, p.stock_type, m.type, m.unit, m.scale order by 1, 2, 3",
            **key,
        ),
        "shipped": shipped,
        "more": more_up or more_down,
        "picture": _picture(books, asked, key, up, down, [*up_edges, *down_edges]),
    }
    return Page("lot.html", f"Lot {key['lot']} of {key['material']}", values)


def _deliveries(books: Books, plant: str, name: Name) -> Sequence[Row]:
    return books.rows(
        "select delivery from lot_deliveries where plant = :plant and material = :material and lot = :lot order by delivery",
        plant=plant,
        material=name[0],
        lot=name[1],
    )


def _walk(books: Books, plant: str, start: Name, way: int) -> tuple[dict[Name, int], list[tuple[Name, Name]], bool]:
    """Lots on one side with their distance, the steps between them (from before to after), and whether there are more."""
    found: dict[Name, int] = {start: 0}
    edges: list[tuple[Name, Name]] = []
    edge, more = [start], False
    for distance in range(1, DEPTH + 1):
        following: list[Name] = []
        for name in edge:
            for row in books.rows(STEPS[way], plant=plant, material=name[0], lot=name[1], most=NODES + 1):
                other = (row["material"], row["lot"])
                if other not in found and len(found) > NODES:
                    more = True
                    continue
                edges.append((name, other) if way > 0 else (other, name))
                if other not in found:
                    found[other] = distance * way
                    following.append(other)
        edge = following
        if not edge:
            break
    else:
        more = True
    del found[start]
    return found, edges, more


def _picture(
    books: Books,
    asked: Question,
    key: dict[str, str],
    up: dict[Name, int],
    down: dict[Name, int],
    edges: list[tuple[Name, Name]],
) -> object:
    held = {
        (row["material"], row["lot"])
        for row in books.rows("select material, lot from lots where plant = :plant and held", plant=asked.plant)
    }
    here = (key["material"], key["lot"])

    def box(name: Name, rank: int) -> Node:
        kind = "here" if name == here else "stopped" if name in held else "box"
        told = "on hold" if name in held else ""
        return Node("|".join(name), rank, (name[1], name[0], told), f"/p/{asked.plant}/lot/{name[0]}/{name[1]}", kind)

    nodes = [*(box(name, rank) for name, rank in up.items()), box(here, 0), *(box(name, rank) for name, rank in down.items())]
    return graph("What went into this lot, and what it went into", nodes, [("|".join(a), "|".join(b)) for a, b in edges])


def quality(books: Books, asked: Question) -> Page:
    plant = asked.plant
    values = {
        "held": books.rows(
            "select * from v_lots_on_hold where plant = :plant order by since desc, hold, material, lot", plant=plant
        ),
        "stopped": books.rows(
            "select posting_id, order_no, material, lot, kind, amount, scale, unit, state from postings where plant = :plant"
            " and state = 'held' and replaced_by = '' order by cut_at, posting_id limit 200",
            plant=plant,
        ),
        "failed": books.rows(
            "select material, lot, inspection, result from inspections where plant = :plant and result <> 'pass'"
            " order by 4, 1, 2, 3 limit 200",
            plant=plant,
        ),
        "conflict": books.rows(
            "select material, lot, count(*) as inspections, sum(case when result = 'fail' then 1 else 0 end) as failed"
            " from inspections where plant = :plant and result in ('pass', 'fail') group by material, lot"
            " having count(distinct result) > 1 order by 1, 2 limit 200",
            plant=plant,
        ),
        "released": books.rows(
            "select * from holds where plant = :plant and not active order by decided_at desc limit 50", plant=plant
        ),
    }
    return Page("quality.html", "Quality", values)
