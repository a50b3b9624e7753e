"""Orders and materials."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"


def upgrade() -> None:
    op.create_table(
        "materials",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("batch_managed", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "material", name=op.f("pk_materials")),
        info={"family": "materials"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "orders",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("change_number", sa.Text(), nullable=False),
        sa.Column("order_type", sa.Text(), nullable=False),
        sa.Column("bom_revision", sa.Text(), nullable=False),
        sa.Column("rejected", sa.Text(), nullable=False),
        sa.Column("automatic_receipt", sa.Boolean(), nullable=False),
        sa.Column("backflush", sa.Boolean(), nullable=False),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.Column("started", sa.Boolean(), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("planned_start", sa.BigInteger(), nullable=True),
        sa.Column("planned_end", sa.BigInteger(), nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("handed_over_at", sa.BigInteger(), nullable=True),
        sa.Column("technically_complete_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "order_no", name=op.f("pk_orders")),
        info={"family": "orders"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_orders_plant_status"), "orders", ["plant", "status"], unique=False)
    op.create_table(
        "material_conversions",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("conversion", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "material"],
            ["materials.plant", "materials.material"],
            name=op.f("fk_material_conversions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "material", "conversion", name=op.f("pk_material_conversions")),
        info={"family": "materials"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_components",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("component", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("issue_location", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("batch_managed", sa.Boolean(), nullable=False),
        sa.Column("phantom", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "order_no"], ["orders.plant", "orders.order_no"], name=op.f("fk_order_components"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "order_no", "component", name=op.f("pk_order_components")),
        info={"family": "orders"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_order_components_plant_material"), "order_components", ["plant", "material"], unique=False)
    op.create_table(
        "order_items",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("receipt_location", sa.Text(), nullable=False),
        sa.Column("over_delivery", sa.Text(), nullable=False),
        sa.Column("batch_managed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "order_no"], ["orders.plant", "orders.order_no"], name=op.f("fk_order_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "order_no", "item", name=op.f("pk_order_items")),
        info={"family": "orders"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_order_items_plant_material"), "order_items", ["plant", "material"], unique=False)
    op.create_table(
        "order_lots",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("staged", sa.Boolean(), nullable=False),
        sa.Column("open_inspections", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "order_no"], ["orders.plant", "orders.order_no"], name=op.f("fk_order_lots"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "order_no", "material", "lot", name=op.f("pk_order_lots")),
        info={"family": "orders"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_order_lots_plant_lot"), "order_lots", ["plant", "lot"], unique=False)
    op.create_table(
        "order_operations",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("work_centre", sa.Text(), nullable=False),
        sa.Column("confirm", sa.Text(), nullable=False),
        sa.Column("quantity_from", sa.Text(), nullable=False),
        sa.Column("planned_cycle_ms", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.Boolean(), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("final_sent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "order_no"], ["orders.plant", "orders.order_no"], name=op.f("fk_order_operations"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "order_no", "operation", name=op.f("pk_order_operations")),
        info={"family": "orders"},
        sqlite_with_rowid=False,
    )
