"""What is written to and read from the store, one function per question. Each runs inside one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

import msgspec

from app.erp.master import MasterChanges
from app.erp.simulator.booking import Mode, SimConfirmation, SimMasterData, SimMovement, confirmations_of, movements_of
from app.erp.simulator.messages import (
    Booked,
    ConfirmationPage,
    Foreign,
    FoundPosting,
    Master,
    MovementPage,
    RecordedRequest,
    RequestPage,
    SentDocument,
    ShownConfirmation,
    ShownMovement,
    Statistics,
)
from tables.refusal import Refusal

MAX_DOCUMENTS = 5_000_000
MAX_REQUESTS = 2_000_000
"""When it is full the ERP refuses calls: a recording with holes would prove nothing about I7."""
MAX_STORED_BODY_BYTES = 8 * 1024**3
PAGE = 2000


@dataclass(slots=True, frozen=True)
class Ways:
    """How this ERP books."""

    idempotent: bool
    mode: Mode


def book(db: Connection, document: SentDocument, master: SimMasterData, ways: Ways) -> Booked | Refusal:
    """All lines or none. Where the ERP is idempotent a known line is kept, and a known id with other content refused."""
    lines = document.lines
    if len({line.posting_id for line in lines}) < len(lines):
        return Refusal("DOCUMENT_INVALID", "A document names each posting once.")
    earlier: dict[str, int] = {}
    if ways.idempotent:
        for line in lines:
            found = db.execute("SELECT document, content_hash FROM lines WHERE posting_id = ?", [line.posting_id])
            for number, content_hash in found.fetchall():
                if content_hash != line.content_hash:
                    return Refusal("POSTING_MISMATCH", f"{line.posting_id} is booked in document {number}.")
                earlier[line.posting_id] = number
    new = [line for line in lines if line.posting_id not in earlier]
    if not new:
        return Booked(",".join(str(number) for number in dict.fromkeys(earlier.values())), True)
    refusal = master.refusal(new)
    if refusal is not None:
        return refusal
    movements: list[SimMovement] = []
    for line in new:
        made = movements_of(line, master, ways.mode)
        if isinstance(made, Refusal):
            return made
        movements += made
    number = _new_document(db, document.stock_type)
    if isinstance(number, Refusal):
        return number
    db.executemany(
        "INSERT INTO lines (document, posting_id, content_hash, content) VALUES (?, ?, ?, ?)",
        [(number, line.posting_id, line.content_hash, msgspec.json.encode(line)) for line in new],
    )
    _insert(db, number, document.stock_type, movements)
    _confirm(db, number, [confirmed for line in new for confirmed in confirmations_of(line, master, ways.mode)])
    return Booked(str(number), False)


def book_foreign(db: Connection, foreign: Foreign) -> Booked | Refusal:
    number = _new_document(db, "unrestricted")
    if isinstance(number, Refusal):
        return number
    _insert(db, number, "unrestricted", [SimMovement("", foreign.order, sent, "foreign") for sent in foreign.movements])
    return Booked(str(number), False)


def find(db: Connection, posting_id: str) -> FoundPosting | None:
    rows = db.execute("SELECT document, content_hash FROM lines WHERE posting_id = ? ORDER BY id", [posting_id])
    found = rows.fetchall()
    if not found:
        return None
    return FoundPosting(posting_id, found[0][1], [str(number) for number, _ in found])


def movements(db: Connection, orders: Sequence[str], after: int) -> MovementPage:
    """Movements of the orders with ids above `after`, ascending, one page."""
    rows = db.execute(
        'SELECT id, CAST(document AS TEXT), posting_id, type, "order", material, lot, location, stock_type, amount,'
        ' scale, unit, origin FROM movements WHERE "order" IN (SELECT value FROM json_each(?)) AND id > ? ORDER BY id LIMIT ?',
        [msgspec.json.encode(orders).decode(), after, PAGE],
    )
    page = [ShownMovement(*row) for row in rows]
    return MovementPage(page, page[-1].id if len(page) == PAGE else 0)


def confirmations(db: Connection, orders: Sequence[str], after: int) -> ConfirmationPage:
    """Confirmed quantities of the orders with ids above `after`, ascending, one page."""
    rows = db.execute(
        'SELECT id, CAST(document AS TEXT), posting_id, "order", operation, kind, amount, scale, unit, origin FROM'
        ' confirmations WHERE "order" IN (SELECT value FROM json_each(?)) AND id > ? ORDER BY id LIMIT ?',
        [msgspec.json.encode(orders).decode(), after, PAGE],
    )
    page = [ShownConfirmation(*row) for row in rows]
    return ConfirmationPage(page, page[-1].id if len(page) == PAGE else 0)


def record(db: Connection, request: RecordedRequest) -> int | Refusal:
    """Keep a call (its `id` is given here)."""
    highest = db.execute("SELECT max(id) FROM requests").fetchone()[0] or 0
    size = db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]
    if highest >= MAX_REQUESTS or size >= MAX_STORED_BODY_BYTES:
        return Refusal("STORE_FULL", "The store takes no more requests; start the simulator with a new one.")
    db.execute(
        "INSERT INTO requests (received_at, method, target, headers, body) VALUES (?, ?, ?, ?, ?)",
        [request.received_at, request.method, request.target, msgspec.json.encode(request.headers), request.body],
    )
    return int(highest) + 1


def requests(db: Connection, after: int) -> RequestPage:
    rows = db.execute(
        "SELECT id, received_at, method, target, headers, body FROM requests WHERE id > ? ORDER BY id LIMIT ?",
        [after, PAGE // 10],
    )
    page = [
        RecordedRequest(number, at, method, target, msgspec.json.decode(headers, type=list[tuple[str, str]]), body)
        for number, at, method, target, headers, body in rows
    ]
    return RequestPage(page, page[-1].id if len(page) == PAGE // 10 else 0)


def keep_master(db: Connection, master: Master) -> None:
    db.execute("INSERT INTO master (content) VALUES (?)", [msgspec.json.encode(master)])


def keep_changes(db: Connection, changes: MasterChanges) -> None:
    db.execute("INSERT INTO changes (content) VALUES (?)", [msgspec.json.encode(changes)])


def changes(db: Connection, after: int) -> MasterChanges:
    """Everything that was planned after the change `after`, as one answer; `until`: the newest of them."""
    found = db.execute("SELECT id, content FROM changes WHERE id > ? ORDER BY id", [after]).fetchall()
    parts = [msgspec.json.decode(content, type=MasterChanges) for _, content in found]
    return MasterChanges(
        until=str(found[-1][0] if found else after),
        materials=[row for part in parts for row in part.materials],
        lots=[row for part in parts for row in part.lots],
        orders=[row for part in parts for row in part.orders],
    )


def stored_master(db: Connection) -> SimMasterData:
    """Master data as it was when the store was closed, lots that receipts made included."""
    data = SimMasterData()
    for (content,) in db.execute("SELECT content FROM master ORDER BY id"):
        refused = data.add(msgspec.json.decode(content, type=Master))
        assert refused is None, "only accepted master data was kept"
    data.lots.update(db.execute("SELECT DISTINCT material, lot FROM movements WHERE type = 'receipt' AND lot <> ''"))
    return data


def statistics(db: Connection, waiting: int) -> Statistics:
    documents, lines, postings, moved, calls = db.execute(
        "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM lines),"
        " (SELECT count(DISTINCT posting_id) FROM lines), (SELECT count(*) FROM movements),"
        " (SELECT count(*) FROM requests)"
    ).fetchone()
    return Statistics(documents, lines, postings, moved, calls, waiting)


def _new_document(db: Connection, stock_type: str) -> int | Refusal:
    number = (db.execute("SELECT max(number) FROM documents").fetchone()[0] or 0) + 1
    if number > MAX_DOCUMENTS:
        return Refusal("STORE_FULL", "The store takes no more documents; start the simulator with a new one.")
    db.execute("INSERT INTO documents (number, stock_type) VALUES (?, ?)", [number, stock_type])
    return int(number)


def _insert(db: Connection, number: int, stock_type: str, booked: Sequence[SimMovement]) -> None:
    """Only receipts have a choice of stock; blocked and inspection stock of a location show as locations of their own."""
    rows = []
    for movement in booked:
        sent = movement.sent
        stock = stock_type if sent.type == "receipt" else "unrestricted"
        location = sent.location if stock == "unrestricted" else f"{sent.location} {stock}".lstrip()
        rows.append(
            (number, movement.posting_id, sent.type, movement.order, sent.material, sent.lot, location, stock,
             sent.amount, sent.scale, sent.unit, movement.origin)
        )  # fmt: skip
    db.executemany(
        'INSERT INTO movements (document, posting_id, type, "order", material, lot, location, stock_type, amount, scale,'
        " unit, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _confirm(db: Connection, number: int, booked: Sequence[SimConfirmation]) -> None:
    db.executemany(
        'INSERT INTO confirmations (document, posting_id, "order", operation, kind, amount, scale, unit, origin) VALUES'
        " (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(number, c.posting_id, c.order, c.operation, c.kind, c.amount, c.scale, c.unit, c.origin) for c in booked],
    )
