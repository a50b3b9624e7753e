# SPDX-License-Identifier: GPL-3.0-or-later
"""Master data for the shop floor: what changed since the last question. README.md is the contract of `changes`."""

import datetime
from decimal import Decimal

from trytond.model import Model
from trytond.pool import Pool
from trytond.rpc import RPC
from trytond.transaction import Transaction, without_check_access

from .request import Refused

OVERLAP = datetime.timedelta(minutes=2)
"""A row carries the time at which its transaction began: one that is committed after an answer may be older than it."""
STATUS = {'running': 'released', 'done': 'closed', 'cancelled': 'closed'}
PARTS = ('inputs', 'outputs', 'shop_floor_operations')


class Master(Model):
    __name__ = 'lineledger.master'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__rpc__['changes'] = RPC()

    @classmethod
    def changes(cls, since):
        """{until, materials, lots, orders}: whatever changed since `since` (an `until` of before; empty: everything)."""
        Pool().get('ir.model.access').check('lineledger.document', 'read')
        company = Transaction().context.get('company')
        if not company:
            raise Refused('COMPANY_REQUIRED', 'the context names no company')
        with without_check_access():
            return _changes(company, _start(since))


def _start(since):
    if not since:
        return None
    try:
        return datetime.datetime.fromisoformat(since) - OVERLAP
    except (TypeError, ValueError):
        raise Refused('REQUEST_INVALID', 'since is no moment of an earlier answer') from None


def _changes(company, start):
    pool = Pool()
    products = pool.get('product.product').search([
            ('code', '!=', None),
            *_since(start, '', 'template.'),
            ], order=[('id', 'ASC')])
    lots = pool.get('stock.lot').search(_since(start, ''), order=[('id', 'ASC')])
    orders = pool.get('production').search([
            ('company', '=', company),
            ('shop_floor_number', '!=', None),
            ('state', 'in', list(STATUS)),
            *_since(start, '', 'bom.', *(f'bom.{part}.' for part in PARTS)),
            ], order=[('id', 'ASC')])
    found = {
        'materials': [_material(product) for product in products],
        'lots': [_lot(lot, quantity) for lot, quantity in _stock(company, lots)],
        'orders': [_order(order) for order in orders],
        }
    latest = max((entry['changed'] for part in found.values() for entry in part), default=None)
    known = start + OVERLAP if start else None
    until = max((moment for moment in (latest, known) if moment), default=None)
    for part in found.values():
        for entry in part:
            entry['changed'] = _micros(entry['changed'])
    return {**found, 'until': until.isoformat() if until else ''}


def _since(start, *paths):
    """Clauses for: one of the records at `paths` was made or changed at `start` or later."""
    if start is None:
        return []
    return [['OR', *(
        clause for path in paths
        for clause in ((f'{path}write_date', '>=', start), (f'{path}create_date', '>=', start)))]]


def _changed(*records):
    return max(record.write_date or record.create_date for record in records)


def _micros(moment):
    return str((moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1))


def _text(quantity):
    return format(Decimal(repr(quantity)), 'f')


def _material(product):
    unit = product.default_uom
    return {
        'changed': _changed(product, product.template),
        'material': product.code,
        'unit': unit.symbol,
        'decimals': unit.digits,
        'batch_managed': bool(product.lot_required),
        'conversions': [line.strip() for line in (product.shop_floor_units or '').splitlines() if line.strip()],
        }


def _stock(company, lots):
    """Each lot with what there is of it in the storage of all warehouses; lots that nothing is left of stay out."""
    pool = Pool()
    storages = [
        warehouse.storage_location.id
        for warehouse in pool.get('stock.location').search([('type', '=', 'warehouse')])]
    products = sorted({lot.product.id for lot in lots})
    if not lots:
        return
    with Transaction().set_context(company=company, stock_date_end=None):
        there = pool.get('product.product').products_by_location(
            storages, with_childs=True, grouping=('product', 'lot'), grouping_filter=(products,))
    quantities = {}
    for (_, product, lot), quantity in there.items():
        quantities[product, lot] = quantities.get((product, lot), 0) + quantity
    for lot in lots:
        quantity = quantities.get((lot.product.id, lot.id), 0)
        if quantity > 0:
            yield lot, quantity


def _lot(lot, quantity):
    return {
        'changed': _changed(lot),
        'material': lot.product.code,
        'lot': lot.number,
        'quantity': _text(quantity),
        'unit': lot.product.default_uom.symbol,
        }


def _order(order):
    bom = order.bom
    parts = [record for part in PARTS for record in getattr(bom, part)] if bom else []
    return {
        'changed': _changed(order, *([bom] if bom else []), *parts),
        'order': order.shop_floor_number,
        'status': STATUS[order.state],
        'bom_revision': (bom.shop_floor_revision or '') if bom else '',
        'planned_start': str(order.planned_start_date or ''),
        'planned_end': str(order.planned_date or ''),
        'product': order.product.code,
        'quantity': _text(order.quantity),
        'unit': order.unit.symbol,
        'outputs': [_output(line) for line in bom.outputs] if bom else [],
        'inputs': [_input(line) for line in bom.inputs if line.product] if bom else [],
        'operations': [_operation(line) for line in bom.shop_floor_operations] if bom else [],
        }


def _output(line):
    return {
        **_line(line),
        'role': line.shop_floor_role,
        'over_delivery': line.shop_floor_over_delivery or '0',
        }


def _input(line):
    return {
        **_line(line),
        'operation': line.shop_floor_operation or '',
        'position': line.shop_floor_position or '',
        'mode': line.shop_floor_mode,
        }


def _line(line):
    location = line.shop_floor_location
    return {
        'item': line.shop_floor_item or '',
        'material': line.product.code,
        'quantity': _text(line.quantity),
        'unit': line.unit.symbol,
        'location': (location.code or '') if location else '',
        'batch_managed': bool(line.product.lot_required),
        }


def _operation(operation):
    return {
        'operation': operation.number,
        'work_centre': operation.work_centre or '',
        'confirm': operation.confirm,
        'receipt': bool(operation.receipt),
        'planned_cycle_ms': operation.planned_cycle_ms or 0,
        }
