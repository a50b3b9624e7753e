# SPDX-License-Identifier: GPL-3.0-or-later
"""Master data of one document by the names that the shop floor uses: looked up in one query per model, and refused with
a code when unknown."""

from trytond.pool import Pool
from trytond.transaction import Transaction

from .request import Refused


class MasterData:
    def __init__(self, company, lines):
        pool = Pool()
        moves = [move for line in lines for move in line.moves if move.quantity]
        Production, self.Lot = pool.get('production'), pool.get('stock.lot')
        orders = Production.search([
                ('company', '=', company),
                ('shop_floor_number', 'in', sorted({line.order for line in lines})),
                ])
        self._orders = {order.shop_floor_number: order for order in orders}
        self._products = _by(
            pool.get('product.product'), 'code', {move.material for move in moves}, 'MATERIAL_UNKNOWN')
        self._units = _by(
            pool.get('product.uom'), 'symbol',
            {line.unit for line in lines} | {move.unit for move in moves}, 'UNIT_UNKNOWN')
        self._locations = _by(
            pool.get('stock.location'), 'code', {move.location for move in moves} - {''}, 'LOCATION_UNKNOWN')
        self._made = {(move.material, move.lot) for move in moves if move.type != 'issue' and move.quantity > 0}
        # An inactive lot still owns its number.
        with Transaction().set_context(active_test=False):
            self._lots = {
                (lot.product.id, lot.number): lot for lot in self.Lot.search([
                        ('product', 'in', [product.id for product in self._products.values()]),
                        ('number', 'in', sorted({move.lot for move in moves} - {''})),
                        ])}

    def open_order(self, number):
        """The order in state running: earlier it is not released to the floor, later it takes no postings."""
        order = self._orders.get(number)
        if order is None:
            raise Refused('ORDER_UNKNOWN', number)
        if order.state != 'running':
            raise Refused('ORDER_NOT_OPEN', f'{number} is {order.state}')
        return order

    def product(self, code):
        return _known(self._products, code, 'MATERIAL_UNKNOWN')

    def unit(self, symbol):
        return _known(self._units, symbol, 'UNIT_UNKNOWN')

    def lot(self, product, number):
        """The lot, None without a number. Output makes its lot; what else is taken must be there or come in the same
        document."""
        if not number:
            return None
        key = product.id, number
        if key not in self._lots:
            if (product.code, number) not in self._made:
                raise Refused('LOT_UNKNOWN', f'{product.code} lot {number}')
            self._lots[key], = self.Lot.create([{'product': product.id, 'number': number}])
        return self._lots[key]

    def shelf(self, order, move, stock_type):
        """The side of a move that is not the order: where a receipt or scrap goes to, an issue comes from."""
        if move.type == 'scrap':
            return self._scrap(order, move)
        if move.type == 'receipt' and stock_type != 'unrestricted':
            if order.warehouse.quarantine_location is None:
                raise Refused('LOCATION_UNKNOWN', f'warehouse {order.warehouse.rec_name} has no quarantine location')
            return order.warehouse.quarantine_location
        if not move.location:
            return order.output_location if move.type == 'receipt' else order.picking_location
        location = _known(self._locations, move.location, 'LOCATION_UNKNOWN')
        if location.type != 'storage' or location.warehouse != order.warehouse:
            raise Refused('LOCATION_UNKNOWN', f'{move.location} is no storage of {order.warehouse.rec_name}')
        return location

    def _scrap(self, order, move):
        waste = order.warehouse.waste_locations
        if not move.location and waste:
            return waste[0]
        for location in waste:
            if location.code == move.location:
                return location
        raise Refused('LOCATION_UNKNOWN',
            f'{move.location or "scrap"} is no waste location of {order.warehouse.rec_name}')


def _by(Model, field, names, code):
    records = {}
    for record in Model.search([(field, 'in', sorted(names))]) if names else ():
        name = getattr(record, field)
        if name in records:
            raise Refused(code, f'{name} is not unique')
        records[name] = record
    return records


def _known(records, name, code):
    if name not in records:
        raise Refused(code, name)
    return records[name]
