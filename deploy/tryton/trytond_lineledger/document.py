# SPDX-License-Identifier: GPL-3.0-or-later
"""Shop-floor documents: `post` books one, `find` and `movements` read back. README.md is their contract."""

from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.pool import Pool
from trytond.rpc import RPC
from trytond.transaction import Transaction, without_check_access

from . import reading
from .booking import Booking
from .order import ONCE
from .request import Refused, read_document, read_names


class Document(ModelSQL, ModelView):
    __name__ = 'lineledger.document'

    company = fields.Many2One(
        'company.company', "Company", required=True, states=ONCE)
    stock_type = fields.Selection([
            ('unrestricted', "Unrestricted"),
            ('inspection', "Inspection"),
            ('blocked', "Blocked"),
            ], "Stock Type", required=True, states=ONCE)
    lines = fields.One2Many(
        'lineledger.line', 'document', "Lines", states=ONCE)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('id', 'DESC')]
        cls.__rpc__['post'] = RPC(readonly=False)
        cls.__rpc__['find'] = RPC()
        cls.__rpc__['movements'] = RPC()
        cls.__rpc__['confirmations'] = RPC()

    def get_rec_name(self, name):
        return str(self.id)

    @classmethod
    def post(cls, document):
        """Book one document in this transaction, or nothing. Refuses with a stable code (README.md)."""
        pool = Pool()
        group = pool.get('ir.model.data').get_id('lineledger', 'group_posting')
        if group not in pool.get('res.user').get_groups():
            raise Refused('ACCESS_DENIED', 'not in group Shop-Floor Posting')
        request = read_document(document)
        # The posting user has no rights on stock: those of the group end here. Postings of "tomorrow" (a plant east of
        # the server, a recorded demo) are no question that a person could answer: warnings are skipped.
        with without_check_access(), Transaction().set_context(_skip_warnings=True):
            return Booking(request).book()

    @classmethod
    def find(cls, posting_ids):
        """[{posting_id, content_hash, document, effective}]: unknown ids are left out. `effective` is False when a
        person has cancelled a move of the line."""
        cls._check_readable()
        ids = read_names(posting_ids, 'posting_ids')
        with without_check_access():
            return reading.find(ids)

    @classmethod
    def movements(cls, orders):
        """Every done stock move of the orders (README.md: fields), of this module or not."""
        cls._check_readable()
        numbers = read_names(orders, 'orders')
        with without_check_access():
            return reading.movements(numbers)

    @classmethod
    def confirmations(cls, orders):
        """Every confirmed quantity of the orders: the lines that are no consumption (README.md: fields)."""
        cls._check_readable()
        numbers = read_names(orders, 'orders')
        with without_check_access():
            return reading.confirmations(numbers)

    @classmethod
    def _check_readable(cls):
        Pool().get('ir.model.access').check(cls.__name__, 'read')


class Line(ModelSQL, ModelView):
    __name__ = 'lineledger.line'
    _rec_name = 'posting_id'

    document = fields.Many2One(
        'lineledger.document', "Document", required=True, ondelete='CASCADE',
        states=ONCE)
    posting_id = fields.Char("Posting ID", required=True, states=ONCE)
    content_hash = fields.Char("Content Hash", required=True, states=ONCE)
    kind = fields.Char("Kind", required=True, states=ONCE)
    production = fields.Many2One(
        'production', "Order", required=True, ondelete='RESTRICT', states=ONCE)
    operation = fields.Char("Operation", states=ONCE)
    material = fields.Char("Material", states=ONCE)
    lot = fields.Char("Lot", states=ONCE)
    reason = fields.Char("Reason", states=ONCE)
    reservation_item = fields.Char("Reservation Item", states=ONCE)
    quantity = fields.Numeric("Quantity", required=True, states=ONCE)
    unit = fields.Many2One(
        'product.uom', "Unit", required=True, ondelete='RESTRICT', states=ONCE)
    document_date = fields.Date("Document Date", required=True, states=ONCE)
    posting_date = fields.Date("Posting Date", required=True, states=ONCE)
    final = fields.Boolean(
        "Final", states=ONCE, help="The last yield of its operation: nothing of it follows.")
    moves = fields.One2Many(
        'stock.move', 'lineledger_line', "Moves", states=ONCE)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.posting_id.search_unaccented = False
        t = cls.__table__()
        cls._sql_constraints.append(
            ('posting_id_unique', Unique(t, t.posting_id),
                'lineledger.msg_posting_id_unique'))
