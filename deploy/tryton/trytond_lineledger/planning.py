# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shop floor must know of an order and Tryton's bill of material does not say: operations with their roles, and
where and how each component is taken."""

from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import PoolMeta

MODES = [
    ('declared', "Declared"),
    ('metered', "Metered"),
    ('ledger_backflush', "Backflushed by the Ledger"),
    ('erp_backflush', "Backflushed by the ERP"),
]


class BOM(metaclass=PoolMeta):
    __name__ = 'production.bom'

    shop_floor_revision = fields.Char("Revision")
    shop_floor_operations = fields.One2Many(
        'lineledger.operation', 'bom', "Shop-Floor Operations")


class Input(metaclass=PoolMeta):
    __name__ = 'production.bom.input'

    shop_floor_item = fields.Char("Item", help="Number of the reservation item.")
    shop_floor_operation = fields.Char("Operation", help="Empty: the one that receives.")
    shop_floor_position = fields.Char("Position", help="Where on the equipment its lot is loaded.")
    shop_floor_mode = fields.Selection(MODES, "Consumption")
    shop_floor_location = fields.Many2One(
        'stock.location', "Issue Location", domain=[('type', '=', 'storage')])

    @classmethod
    def default_shop_floor_mode(cls):
        return 'declared'


class Output(metaclass=PoolMeta):
    __name__ = 'production.bom.output'

    shop_floor_item = fields.Char("Item")
    shop_floor_role = fields.Selection([
            ('main', "Main Product"),
            ('co', "Co-Product"),
            ('by', "By-Product"),
            ], "Role")
    shop_floor_location = fields.Many2One(
        'stock.location', "Receipt Location", domain=[('type', '=', 'storage')])
    shop_floor_over_delivery = fields.Char(
        "Over-Delivery", help="Percent as a decimal number, or `unlimited`.")

    @classmethod
    def default_shop_floor_role(cls):
        return 'main'

    @classmethod
    def default_shop_floor_over_delivery(cls):
        return '0'


class Product(metaclass=PoolMeta):
    __name__ = 'product.product'

    shop_floor_units = fields.Text(
        "Shop-Floor Units", help="One exact conversion per line, such as `1 BOX = 48 PC`.")


class Operation(ModelSQL, ModelView):
    __name__ = 'lineledger.operation'
    _rec_name = 'number'

    bom = fields.Many2One(
        'production.bom', "BOM", required=True, ondelete='CASCADE')
    sequence = fields.Integer("Sequence", required=True)
    number = fields.Char("Number", required=True)
    work_centre = fields.Char("Work Centre")
    confirm = fields.Selection([
            ('each', "Each"),
            ('milestone', "Milestone"),
            ('none', "None"),
            ], "Confirmation", required=True)
    planned_cycle_ms = fields.Integer("Planned Cycle (ms)", help="Planned time per piece.")
    receipt = fields.Boolean("Receipt", help="Exactly one operation receives into stock.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('bom', 'ASC'), ('sequence', 'ASC')]
        cls.__access__.add('bom')

    @classmethod
    def default_confirm(cls):
        return 'each'
