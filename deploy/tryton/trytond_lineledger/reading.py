# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading back: what is booked under a posting id, and every effective move of an order, foreign ones included."""

from decimal import Decimal

from trytond.pool import Pool
from trytond.transaction import Transaction


def find(posting_ids):
    lines = Pool().get('lineledger.line').search([('posting_id', 'in', posting_ids)]) if posting_ids else []
    return [{
            'posting_id': line.posting_id,
            'content_hash': line.content_hash,
            'document': line.document.id,
            'effective': all(move.state == 'done' for move in line.moves),
            } for line in lines]


def confirmations(orders):
    if not orders:
        return []
    numbers = _numbers(orders)
    lines = Pool().get('lineledger.line').search([
            ('production', 'in', list(numbers)),
            ('kind', '!=', 'consumption'),
            ], order=[('id', 'ASC')])
    return [{
            'document': line.document.id,
            'posting_id': line.posting_id,
            'order': numbers[line.production.id],
            'operation': line.operation or '',
            'kind': line.kind,
            'quantity': line.quantity,
            'unit': line.unit.symbol,
            } for line in lines]


def movements(orders):
    if not orders:
        return []
    numbers = _numbers(orders)
    moves = Pool().get('stock.move').search([
            ('state', '=', 'done'),
            ['OR',
                ('production_input', 'in', list(numbers)),
                ('production_output', 'in', list(numbers)),
                ],
            ], order=[('id', 'ASC')])
    return [_movement(move, numbers) for move in moves]


def _numbers(orders):
    """Id -> shop-floor number of these orders of the company."""
    company = Transaction().context.get('company')
    return {
        order.id: order.shop_floor_number
        for order in Pool().get('production').search([
            ('company', '=', company),
            ('shop_floor_number', 'in', orders),
            ])}


def _movement(move, numbers):
    into_order = bool(move.production_input)
    order = move.production_input or move.production_output
    line = move.lineledger_line
    type_ = move.lineledger_type or _foreign_type(move, order, into_order)
    # From the order outwards is the way of receipts and scrap, towards it that of issues; the other way is a reversal.
    towards = move.to_location == order.location
    shelf = move.from_location if towards else move.to_location
    quantity = Decimal(repr(move.quantity)).normalize()
    return {
        'document': line.document.id if line else None,
        'move': move.id,
        'posting_id': line.posting_id if line else '',
        'type': type_,
        'order': numbers[order.id],
        'material': move.product.code or '',
        'lot': move.lot.number if move.lot else '',
        'location': shelf.code or shelf.name,
        'quantity': quantity if towards == (type_ == 'issue') else -quantity,
        'unit': move.unit.symbol,
        }


def _foreign_type(move, order, into_order):
    """Input is issue; output is scrap when it ends in lost and found, else receipt."""
    if into_order:
        return 'issue'
    return 'scrap' if move.to_location.type == 'lost_found' else 'receipt'
