# SPDX-License-Identifier: GPL-3.0-or-later
"""Booking a document: which lines are new, what their moves are, and doing them, all in the caller's transaction."""

from collections import defaultdict
from decimal import Decimal

from trytond.pool import Pool
from trytond.transaction import Transaction

from .master import MasterData
from .request import Refused


class Booking:
    """One call of `post`. Order of the steps: first the orders are locked (PostgreSQL: rows; Tryton starts the
    transaction again for it, so as little as possible is done before), then the header is written (SQLite: the first
    write locks the database). What is read after that (order state, stock, lots) stays true until the commit."""

    def __init__(self, request):
        pool = Pool()
        self.Document = pool.get('lineledger.document')
        self.Line = pool.get('lineledger.line')
        self.Move = pool.get('stock.move')
        self.request = request

    def book(self):
        """{document, documents, duplicate}. Identity belongs to the line: known lines (same hash) are kept as they
        are, the others are booked in a new document; a line with another hash refuses the whole call."""
        documents = self._known()
        new = [line for line in self.request.lines if line.posting_id not in documents]
        if new:
            document = self._write(new)
            documents.update((line.posting_id, document) for line in new)
        return {
            'document': documents[self.request.lines[0].posting_id],
            'documents': documents,
            'duplicate': not new,
            }

    def _known(self):
        hashes = {line.posting_id: line.content_hash for line in self.request.lines}
        known = self.Line.search([('posting_id', 'in', list(hashes))])
        for line in known:
            if line.content_hash != hashes[line.posting_id]:
                raise Refused('POSTING_MISMATCH',
                    f'{line.posting_id} is booked with other content in document {line.document.id}')
        return {line.posting_id: line.document.id for line in known}

    def _write(self, lines):
        company = Transaction().context.get('company')
        if not company:
            raise Refused('COMPANY_REQUIRED', 'the context names no company')
        self._lock_orders(company, lines)
        document, = self.Document.create([{'company': company, 'stock_type': self.request.stock_type}])
        master = MasterData(company, lines)
        orders = [master.open_order(line.order) for line in lines]
        written = self.Line.create([
                self._line_values(document, line, order, master) for line, order in zip(lines, orders)])
        moves = [
            self._move(row, order, move, master)
            for row, order, line in zip(written, orders, lines) for move in line.moves if move.quantity]
        self._check_periods(company, moves)
        self._do(moves)
        return document.id

    def _lock_orders(self, company, lines):
        """Everything that changes an order's stock waits for the others of the same order. The ids come past Tryton's
        record cache: it would keep the state from before the lock."""
        Production = Pool().get('production')
        table = Production.__table__()
        with Transaction().connection.cursor() as cursor:
            cursor.execute(*table.select(table.id, where=(table.company == company)
                & table.shop_floor_number.in_(sorted({line.order for line in lines}))))
            ids = [row[0] for row in cursor.fetchall()]
        Production.lock(ids)

    def _line_values(self, document, line, order, master):
        return {
            'document': document.id,
            'production': order.id,
            'quantity': line.quantity,
            'unit': master.unit(line.unit).id,
            **{name: getattr(line, name) for name in (
                'posting_id', 'content_hash', 'kind', 'operation', 'material', 'lot', 'reason', 'reservation_item',
                'document_date', 'posting_date', 'final')},
            }

    def _move(self, row, order, move, master):
        """The stock move, not yet saved. Tryton refuses negative quantities: a reversal exchanges the two locations
        and hangs on the order's other side (a receipt taken back is an input), where Tryton costs it rightly."""
        product, unit = master.product(move.material), master.unit(move.unit)
        if unit.category != product.default_uom.category:
            raise Refused('UNIT_UNKNOWN', f'{move.unit} is no unit of {move.material}')
        shelf = master.shelf(order, move, self.request.stock_type)
        reverse = move.quantity < 0
        into_order = (move.type == 'issue') != reverse
        record = self.Move(
            lineledger_line=row, lineledger_type=move.type, company=order.company, product=product, unit=unit,
            quantity=_float(abs(move.quantity), unit), effective_date=row.posting_date,
            from_location=shelf if into_order else order.location, to_location=order.location if into_order else shelf,
            lot=master.lot(product, move.lot))
        if into_order:
            record.production_input = order
        else:
            record.production_output = order
        if not record.lot and product.lot_is_required(record.from_location, record.to_location):
            raise Refused('LOT_MISSING', move.material)
        if record.on_change_with_unit_price_required():
            record.unit_price = Decimal(0)
            record.currency = order.company.currency
        return record

    def _do(self, moves):
        """Do the moves, those into stock first: what a document brings it may take."""
        self.Move.save(moves)
        taking = [move for move in moves if move.from_location.type == 'storage']
        bringing = [move for move in moves if move.from_location.type != 'storage']
        self.Move.do(bringing)
        if taking:
            # What Tryton's "assigned" is for, a reservation, is checked here and done at once.
            self._check_stock(taking)
            self.Move.do(taking)

    def _check_stock(self, moves):
        """STOCK_SHORT unless each location has what the moves take from it, per product and lot, less what others have
        reserved."""
        wanted = defaultdict(float)
        for move in moves:
            wanted[_stock_key(move, move.from_location)] += move.internal_quantity
        there = self._stock(moves[0].company.id, wanted)
        for move in moves:
            key = _stock_key(move, move.from_location)
            unit = move.product.default_uom
            if unit.round(there[key] - wanted[key]) < 0:
                raise Refused('STOCK_SHORT', f'{move.product.code} lot {move.lot.number if move.lot else "-"} in '
                    f'{move.from_location.code}: {there[key]:g} of {wanted[key]:g} {unit.symbol}')

    def _stock(self, company, keys):
        pool = Pool()
        Product, Date = pool.get('product.product'), pool.get('ir.date')
        products, locations = sorted({key[1] for key in keys}), sorted({key[0] for key in keys})
        grouping = ('product', 'lot')
        there = defaultdict(float)
        with Transaction().set_context(company=company):
            today = Date.today()
            if Transaction().database.has_select_for():
                # On SQLite the write lock is held already, and this one would run the whole call again.
                self.Move._assign_try_lock(products, locations, [company], today, grouping)
            with Transaction().set_context(stock_date_end=today, stock_assign=True):
                there.update(Product.products_by_location(
                        locations, grouping=grouping, grouping_filter=(products,)))
        # Tryton counts up to today. Done moves of a later date (a plant east of the server, a recorded demonstration)
        # are as real; its own count of the future would take in drafts.
        for move in self.Move.search([
                ('company', '=', company),
                ('state', '=', 'done'),
                ('effective_date', '>', today),
                ('product', 'in', products),
                ['OR', ('from_location', 'in', locations), ('to_location', 'in', locations)],
                ]):
            there[_stock_key(move, move.from_location)] -= move.internal_quantity
            there[_stock_key(move, move.to_location)] += move.internal_quantity
        return there

    def _check_periods(self, company, moves):
        closed = Pool().get('stock.period').search(
            [('state', '=', 'closed'), ('company', '=', company)], order=[('date', 'DESC')], limit=1)
        for move in moves:
            if closed and move.effective_date <= closed[0].date:
                raise Refused('PERIOD_CLOSED', f'{move.effective_date}: closed until {closed[0].date}')


def _stock_key(move, location):
    return location.id, move.product.id, move.lot.id if move.lot else None


def _float(quantity, unit):
    """Tryton keeps the quantity of a move as a float: only what comes back digit for digit is let in."""
    value = float(quantity)
    if Decimal(repr(value)) != quantity or Decimal(repr(unit.round(value))) != quantity:
        raise Refused('QUANTITY_PRECISION', f'{quantity} is no multiple of {unit.rounding:g} {unit.symbol}')
    return value
