"""Lots, equipment and runs."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"


def upgrade() -> None:
    op.create_table(
        "equipment",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("clock_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "equipment", name=op.f("pk_equipment")),
        info={"family": "equipment"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "equipment_loads",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "equipment", "position", "from_at", "entry", name=op.f("pk_equipment_loads")),
        info={"family": "equipment_loads"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_equipment_loads_plant_material_lot"), "equipment_loads", ["plant", "material", "lot"], unique=False)
    op.create_table(
        "equipment_states",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "equipment", "from_at", "entry", name=op.f("pk_equipment_states")),
        info={"family": "equipment_states"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "lots",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("disposition_at", sa.BigInteger(), nullable=True),
        sa.Column("touched_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "material", "lot", name=op.f("pk_lots")),
        info={"family": "lots"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_lots_plant_held"), "lots", ["plant", "held"], unique=False)
    op.create_index(op.f("ix_lots_plant_lot"), "lots", ["plant", "lot"], unique=False)
    op.create_table(
        "runs",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("bom_revision", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "equipment", "run", name=op.f("pk_runs")),
        info={"family": "runs"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_runs_plant_equipment_started_at"), "runs", ["plant", "equipment", "started_at"], unique=False)
    op.create_index(op.f("ix_runs_plant_order_no"), "runs", ["plant", "order_no"], unique=False)
    op.create_table(
        "count_decisions",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "equipment"],
            ["equipment.plant", "equipment.equipment"],
            name=op.f("fk_count_decisions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "equipment", "counter", "began_at", name=op.f("pk_count_decisions")),
        info={"family": "equipment"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "equipment_counters",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "equipment"],
            ["equipment.plant", "equipment.equipment"],
            name=op.f("fk_equipment_counters"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "equipment", "counter", name=op.f("pk_equipment_counters")),
        info={"family": "equipment"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "equipment_tallies",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "equipment"],
            ["equipment.plant", "equipment.equipment"],
            name=op.f("fk_equipment_tallies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "equipment", "what", name=op.f("pk_equipment_tallies")),
        info={"family": "equipment"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "exemptions",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "material", "lot"],
            ["lots.plant", "lots.material", "lots.lot"],
            name=op.f("fk_exemptions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "material", "lot", "hold", name=op.f("pk_exemptions")),
        info={"family": "lots"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "genealogy",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("child_material", sa.Text(), nullable=False),
        sa.Column("child_lot", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "material", "lot"],
            ["lots.plant", "lots.material", "lots.lot"],
            name=op.f("fk_genealogy"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "material", "lot", "child_material", "child_lot", name=op.f("pk_genealogy")),
        info={"family": "lots"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_genealogy_plant_child_material_child_lot"), "genealogy", ["plant", "child_material", "child_lot"], unique=False
    )
    op.create_table(
        "holds",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "material", "lot"], ["lots.plant", "lots.material", "lots.lot"], name=op.f("fk_holds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "material", "lot", "hold", "origin", name=op.f("pk_holds")),
        info={"family": "lots"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_holds_plant_active"), "holds", ["plant", "active"], unique=False)
    op.create_index(op.f("ix_holds_plant_hold"), "holds", ["plant", "hold"], unique=False)
    op.create_table(
        "inspections",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("inspection", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "material", "lot"],
            ["lots.plant", "lots.material", "lots.lot"],
            name=op.f("fk_inspections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "material", "lot", "inspection", name=op.f("pk_inspections")),
        info={"family": "lots"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_inspections_plant_result"), "inspections", ["plant", "result"], unique=False)
    op.create_table(
        "lot_deliveries",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "material", "lot"],
            ["lots.plant", "lots.material", "lots.lot"],
            name=op.f("fk_lot_deliveries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "material", "lot", "delivery", name=op.f("pk_lot_deliveries")),
        info={"family": "lots"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_lot_deliveries_plant_delivery"), "lot_deliveries", ["plant", "delivery"], unique=False)
    op.create_table(
        "lot_orders",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "material", "lot"],
            ["lots.plant", "lots.material", "lots.lot"],
            name=op.f("fk_lot_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "material", "lot", "order_no", name=op.f("pk_lot_orders")),
        info={"family": "lots"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_lot_orders_plant_order_no"), "lot_orders", ["plant", "order_no"], unique=False)
    op.create_table(
        "run_outputs",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("order_item", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("factor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "equipment", "run"],
            ["runs.plant", "runs.equipment", "runs.run"],
            name=op.f("fk_run_outputs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "plant", "equipment", "run", "corrected", "from_at", "segment", "output", name=op.f("pk_run_outputs")
        ),
        info={"family": "runs"},
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_run_outputs_plant_material_lot"), "run_outputs", ["plant", "material", "lot"], unique=False)
