# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module adds to Tryton's own models: numbers by which the shop floor names things, and the way back from a
stock move to the posting that caused it."""

from trytond.model import Unique, fields
from trytond.pool import PoolMeta
from trytond.pyson import Eval

# Server-side "readonly": settable on create only.
ONCE = {'readonly': Eval('id', -1) >= 0}


class Production(metaclass=PoolMeta):
    __name__ = 'production'

    shop_floor_number = fields.Char(
        "Shop-Floor Number",
        help="The number by which the shop floor posts to this order.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.shop_floor_number.search_unaccented = False
        t = cls.__table__()
        cls._sql_constraints.append(
            ('shop_floor_number_unique',
                Unique(t, t.company, t.shop_floor_number),
                'lineledger.msg_shop_floor_number_unique'))

    @classmethod
    def copy(cls, productions, default=None):
        default = default.copy() if default else {}
        default.setdefault('shop_floor_number')
        return super().copy(productions, default=default)


class Location(metaclass=PoolMeta):
    __name__ = 'stock.location'

    quarantine_location = fields.Many2One(
        'stock.location', "Quarantine",
        states={'invisible': Eval('type') != 'warehouse'},
        domain=[
            ('type', '=', 'storage'),
            ('parent', 'child_of', [Eval('id', -1)]),
            ],
        help="Where receipts into blocked or inspection stock go.")


class Lot(metaclass=PoolMeta):
    __name__ = 'stock.lot'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        # Tryton itself lets two racing receipts create the same lot twice.
        t = cls.__table__()
        cls._sql_constraints.append(
            ('product_number_unique', Unique(t, t.product, t.number),
                'lineledger.msg_lot_unique'))


class Move(metaclass=PoolMeta):
    __name__ = 'stock.move'

    lineledger_line = fields.Many2One(
        'lineledger.line', "Shop-Floor Posting", ondelete='RESTRICT',
        states=ONCE)
    lineledger_type = fields.Selection([
            (None, ""),
            ('receipt', "Receipt"),
            ('issue', "Issue"),
            ('scrap', "Scrap"),
            ], "Shop-Floor Movement", states=ONCE,
        help="What the movement is, or takes back when it is reversed.")

    @classmethod
    def copy(cls, moves, default=None):
        default = default.copy() if default else {}
        default.setdefault('lineledger_line')
        default.setdefault('lineledger_type')
        return super().copy(moves, default=default)
