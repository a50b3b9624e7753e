# SPDX-License-Identifier: GPL-3.0-or-later
"""What came over the wire, checked: after this module every field is there and has its type."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from trytond.exceptions import UserError

MAX_LINES = 500
MAX_MOVES = 2000
MAX_NAMES = 5000
MAX_TEXT = 200
MAX_DIGITS = 18
"""Digits of a quantity, as many as the ledger's 64-bit amounts have for sure."""
STOCK_TYPES = ('unrestricted', 'inspection', 'blocked')
MOVEMENT_TYPES = ('receipt', 'issue', 'scrap')


class Refused(UserError):
    """The document is not booked. `code`: stable, UPPER_SNAKE; `detail`: for people."""

    def __init__(self, code, detail):
        super().__init__(code, detail)


@dataclass(slots=True, frozen=True)
class Move:
    type: str
    material: str
    lot: str
    location: str
    quantity: Decimal
    unit: str


@dataclass(slots=True, frozen=True)
class Line:
    posting_id: str
    content_hash: str
    kind: str
    order: str
    operation: str
    material: str
    lot: str
    reason: str
    reservation_item: str
    quantity: Decimal
    unit: str
    document_date: datetime.date
    posting_date: datetime.date
    moves: tuple[Move, ...]
    final: bool


@dataclass(slots=True, frozen=True)
class Request:
    stock_type: str
    lines: tuple[Line, ...]


def read_document(value):
    """The request in `value`, or Refused (DOCUMENT_INVALID, ORDER_REQUIRED)."""
    _only(value, {'stock_type', 'lines'}, 'document')
    stock_type = value.get('stock_type', 'unrestricted')
    if stock_type not in STOCK_TYPES:
        raise Refused('DOCUMENT_INVALID', f'stock_type: {stock_type!r}')
    lines = value.get('lines')
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_LINES:
        raise Refused('DOCUMENT_INVALID', f'lines: 1 to {MAX_LINES} are wanted')
    read = tuple(_line(one, f'lines[{i}]') for i, one in enumerate(lines))
    if len({one.posting_id for one in read}) < len(read):
        raise Refused('DOCUMENT_INVALID', 'lines: a posting_id stands there twice')
    if sum(len(one.moves) for one in read) > MAX_MOVES:
        raise Refused('DOCUMENT_INVALID', f'moves: more than {MAX_MOVES}')
    return Request(stock_type, read)


def read_names(value, where):
    """A list of texts (numbers of orders, posting ids), without repeats."""
    if not isinstance(value, list) or len(value) > MAX_NAMES:
        raise Refused('REQUEST_INVALID', f'{where}: a list of at most {MAX_NAMES} is wanted')
    return list(dict.fromkeys(_text({'name': one}, 'name', where, required=True) for one in value))


def _line(value, where):
    texts = ('posting_id', 'content_hash', 'kind', 'order', 'operation', 'material', 'lot', 'reason',
        'reservation_item', 'unit')
    _only(value, {*texts, 'quantity', 'document_date', 'posting_date', 'moves', 'final'}, where)
    required = {'posting_id', 'content_hash', 'kind', 'unit'}
    read = {name: _text(value, name, where, name in required) for name in texts}
    if not read['order']:
        raise Refused('ORDER_REQUIRED', read['posting_id'])
    moves = value.get('moves', [])
    if not isinstance(moves, list):
        raise Refused('DOCUMENT_INVALID', f'{where}.moves: a list is wanted')
    final = value.get('final', False)
    if not isinstance(final, bool):
        raise Refused('DOCUMENT_INVALID', f'{where}.final: true or false is wanted')
    return Line(
        **read,
        final=final,
        quantity=_quantity(value, where),
        document_date=_date(value, 'document_date', where),
        posting_date=_date(value, 'posting_date', where),
        moves=tuple(_move(one, f'{where}.moves[{i}]') for i, one in enumerate(moves)))


def _move(value, where):
    texts = ('type', 'material', 'lot', 'location', 'unit')
    _only(value, {*texts, 'quantity'}, where)
    read = {name: _text(value, name, where, name in {'type', 'material', 'unit'}) for name in texts}
    if read['type'] not in MOVEMENT_TYPES:
        raise Refused('MOVEMENT_UNSUPPORTED', f"{where}: {read['type']}")
    return Move(**read, quantity=_quantity(value, where))


def _only(value, names, where):
    if not isinstance(value, dict) or not value.keys() <= names:
        raise Refused('DOCUMENT_INVALID', f'{where}: an object with no other fields than {sorted(names)} is wanted')


def _text(value, name, where, required=False):
    text = value.get(name, '')
    if not isinstance(text, str) or len(text) > MAX_TEXT or (required and not text):
        raise Refused('DOCUMENT_INVALID', f'{where}.{name}: text of at most {MAX_TEXT} characters is wanted')
    return text


def _quantity(value, where):
    quantity = value.get('quantity')
    # A float or an int would mean that the sender is not exact: it has to say a decimal.
    if not isinstance(quantity, Decimal) or not quantity.is_finite():
        raise Refused('DOCUMENT_INVALID', f'{where}.quantity: a decimal is wanted')
    _, digits, exponent = quantity.as_tuple()
    if len(digits) > MAX_DIGITS or not -MAX_DIGITS <= exponent <= 0:
        raise Refused('QUANTITY_PRECISION', f'{where}.quantity: {quantity} has more than {MAX_DIGITS} digits')
    return quantity


def _date(value, name, where):
    date = value.get(name)
    if not isinstance(date, datetime.date) or isinstance(date, datetime.datetime):
        raise Refused('DOCUMENT_INVALID', f'{where}.{name}: a date is wanted')
    return date
