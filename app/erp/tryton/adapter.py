"""Adapter for Tryton 8.2 with the module of deploy/tryton: one call books one document, once per posting id."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.erp.master import MasterChanges
from app.erp.port import Answer, BookedConfirmation, BookedMovement, Capabilities, Document, DocumentLine, ErpUnavailable
from app.erp.traffic import FIND, MASTER, POST, QUESTION, marked
from app.erp.tryton.master import changes_of
from app.erp.tryton.rpc import Failure, TrytonRpc, refused
from schemas.configuration.adapters import ADAPTERS
from schemas.records import Movement

DEFAULT_UNITS: Mapping[str, str] = {"PC": "u"}
"""Unit of the ledger -> symbol in Tryton; every other unit has the same name there."""
TRY_AGAIN = {"STOCK_SHORT": 60_000, "LOT_RACE": 50, "POSTING_DUPLICATE": 50}
"""Refusals that time may heal -> ms to wait. The two races are over when they are reported."""
ORDERS_PER_CALL = 1000


class TrytonAdapter:
    """app.erp.port.ErpAdapter on a `TrytonRpc` whose user is in the group Shop-Floor Posting."""

    def __init__(self, rpc: TrytonRpc, *, units: Mapping[str, str] = DEFAULT_UNITS, call_timeout_ms: int = 10_000) -> None:
        """`units` must be one to one. `call_timeout_ms`: the one that `rpc` was made with."""
        self._rpc = rpc
        self._units = dict(units)
        self._back = {symbol: unit for unit, symbol in units.items()}
        assert len(self._back) == len(self._units), "two units with one symbol could not be read back"
        self._capabilities = Capabilities.of(ADAPTERS["tryton"], call_timeout_ms)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def post(self, document: Document) -> Answer:
        try:
            request = {"stock_type": document.stock_type, "lines": [self._line(line) for line in document.lines]}
            said = marked(POST, [line.posting_id for line in document.lines])
            booked = await self._rpc.call("lineledger.document", "post", request, mark=said)
        except Failure as failure:
            return _answer(failure)
        numbers = dict.fromkeys(str(number) for number in booked["documents"].values())
        return Answer("accepted", erp_document=",".join(numbers), duplicate=bool(booked["duplicate"]))

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        """As the port says. A booked line whose moves a person has cancelled in Tryton is `accepted` with the code
        MOVE_CANCELLED: the id is used up, and reconciliation sees the movement missing."""
        try:
            lines = await self._rpc.call("lineledger.document", "find", [posting_id], mark=marked(FIND))
        except Failure as failure:
            return replace(_answer(failure), result="unknown")
        if not lines:
            return Answer("not_found")
        (line,) = lines
        document = str(line["document"])
        if line["content_hash"] != content_hash:
            return Answer("rejected", document, code="POSTING_MISMATCH", detail=f"booked in document {document}")
        if not line["effective"]:
            return Answer("accepted", document, code="MOVE_CANCELLED", detail="a stock move was cancelled in the ERP")
        return Answer("accepted", document)

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        """As the port says. Raises ErpUnavailable when the ERP gives no list."""
        return [self._booked(move) for move in await self._listed("movements", orders)]

    async def confirmations(self, orders: Sequence[str]) -> list[BookedConfirmation]:
        """As the port says; Tryton derives none. Raises ErpUnavailable when the ERP gives no list."""
        return [self._confirmed(line) for line in await self._listed("confirmations", orders)]

    async def master_data(self, since: str) -> MasterChanges:
        """As the port says."""
        try:
            answer = await self._rpc.call("lineledger.master", "changes", since, mark=marked(MASTER))
        except Failure as failure:
            raise ErpUnavailable(failure.code, failure.detail) from failure
        return changes_of(answer, lambda symbol: self._back.get(symbol, symbol))

    async def _listed(self, method: str, orders: Sequence[str]) -> list[Mapping[str, Any]]:
        wanted = list(dict.fromkeys(orders))
        found: list[Mapping[str, Any]] = []
        try:
            for start in range(0, len(wanted), ORDERS_PER_CALL):
                asked = wanted[start : start + ORDERS_PER_CALL]
                found += await self._rpc.call("lineledger.document", method, asked, mark=marked(QUESTION))
        except Failure as failure:
            raise ErpUnavailable(failure.code, failure.detail) from failure
        return found

    async def close(self) -> None:
        await self._rpc.close()

    def _line(self, line: DocumentLine) -> dict[str, Any]:
        try:
            document_date, posting_date = date.fromisoformat(line.document_date), date.fromisoformat(line.posting_date)
        except ValueError as error:
            raise refused("DOCUMENT_INVALID", f"{line.posting_id}: {error}") from error
        return {
            "posting_id": line.posting_id,
            "content_hash": line.content_hash,
            "kind": line.kind,
            "order": line.order,
            "operation": line.operation,
            "material": line.material,
            "lot": line.lot,
            "reason": line.reason,
            "reservation_item": line.reservation_item,
            "quantity": _decimal(line.amount, line.scale),
            "unit": self._symbol(line.unit),
            "document_date": document_date,
            "posting_date": posting_date,
            "moves": [self._move(movement) for movement in line.movements if not movement.derived],
            "final": line.final,
        }

    def _move(self, movement: Movement) -> dict[str, Any]:
        return {
            "type": movement.type,
            "material": movement.material,
            "lot": movement.lot,
            "location": movement.location,
            "quantity": _decimal(movement.amount, movement.scale),
            "unit": self._symbol(movement.unit),
        }

    def _booked(self, move: Mapping[str, Any]) -> BookedMovement:
        amount, scale = _integers(move["quantity"])
        document = move["document"]
        return BookedMovement(
            erp_document=f"move {move['move']}" if document is None else str(document),
            posting_id=move["posting_id"],
            type=move["type"],
            order=move["order"],
            material=move["material"],
            lot=move["lot"],
            location=move["location"],
            amount=amount,
            scale=scale,
            unit=self._back.get(move["unit"], move["unit"]),
            origin="sent" if move["posting_id"] else "foreign",
        )

    def _confirmed(self, line: Mapping[str, Any]) -> BookedConfirmation:
        amount, scale = _integers(line["quantity"])
        unit = self._back.get(line["unit"], line["unit"])
        document, posting_id = str(line["document"]), line["posting_id"]
        return BookedConfirmation(document, posting_id, line["order"], line["operation"], line["kind"], amount, scale, unit)

    def _symbol(self, unit: str) -> str:
        return self._units.get(unit, unit)


def _answer(failure: Failure) -> Answer:
    wait_ms = TRY_AGAIN.get(failure.code, failure.retry_after_ms)
    if failure.booked == "unknown":
        result = "unknown"
    elif failure.again or failure.code in TRY_AGAIN:
        result = "retry"
    else:
        result = "rejected"
    return Answer(result, code=failure.code, detail=failure.detail, retry_after_ms=wait_ms, scope=failure.scope)


def _decimal(amount: int, scale: int) -> Decimal:
    """amount x 10^-scale, exact in any decimal context: built from its digits."""
    return Decimal((int(amount < 0), tuple(int(digit) for digit in str(abs(amount))), -scale))


def _integers(quantity: Decimal) -> tuple[int, int]:
    """(amount, scale) of a quantity, scale 0 or more."""
    sign, digits, exponent = quantity.as_tuple()
    assert isinstance(exponent, int), "the ERP's quantities are finite"
    amount = int("".join(map(str, digits))) * 10 ** max(exponent, 0)
    return -amount if sign else amount, max(-exponent, 0)
