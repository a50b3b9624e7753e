"""Postings and accounts."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("recorded", sa.Text(), nullable=False),
        sa.Column("recorded_numerator", sa.BigInteger(), nullable=False),
        sa.Column("recorded_denominator", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("posted", sa.BigInteger(), nullable=False),
        sa.Column("parked", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("covered", sa.Boolean(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "account", name=op.f("pk_accounts")),
        info={"family": "accounts"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_accounts_plant_business_date"), "accounts", ["plant", "business_date"], unique=False)
    op.create_index(op.f("ix_accounts_plant_code"), "accounts", ["plant", "code"], unique=False)
    op.create_index(op.f("ix_accounts_plant_material_lot"), "accounts", ["plant", "material", "lot"], unique=False)
    op.create_index(op.f("ix_accounts_plant_order_no"), "accounts", ["plant", "order_no"], unique=False)
    op.create_table(
        "postings",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("posting_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Text(), nullable=False),
        sa.Column("posting_date", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("cumulative", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("erp_document", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("read_backs", sa.BigInteger(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("stock_type", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reverses", sa.Text(), nullable=False),
        sa.Column("replaced_by", sa.Text(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("missing_sources", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("waited_us", sa.BigInteger(), nullable=False),
        sa.Column("born_epoch", sa.BigInteger(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("cut_at", sa.BigInteger(), nullable=True),
        sa.Column("waited_since", sa.BigInteger(), nullable=True),
        sa.Column("state_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "posting_id", name=op.f("pk_postings")),
        info={"family": "postings"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_postings_erp_document"), "postings", ["erp_document"], unique=False)
    op.create_index(op.f("ix_postings_plant_account_sequence"), "postings", ["plant", "account", "sequence"], unique=False)
    op.create_index(op.f("ix_postings_plant_cut_at"), "postings", ["plant", "cut_at"], unique=False)
    op.create_index(op.f("ix_postings_plant_material_lot"), "postings", ["plant", "material", "lot"], unique=False)
    op.create_index(op.f("ix_postings_plant_order_no"), "postings", ["plant", "order_no"], unique=False)
    op.create_index(op.f("ix_postings_plant_state_cut_at"), "postings", ["plant", "state", "cut_at"], unique=False)
    op.create_table(
        "account_apart",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("recorded", sa.Text(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "account"], ["accounts.plant", "accounts.account"], name=op.f("fk_account_apart"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "account", "unit", name=op.f("pk_account_apart")),
        info={"family": "accounts"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_decisions",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "account"], ["accounts.plant", "accounts.account"], name=op.f("fk_account_decisions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "account", "event_id", name=op.f("pk_account_decisions")),
        info={"family": "accounts"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_ranges",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("range", sa.BigInteger(), nullable=False),
        sa.Column("raw_source", sa.Text(), nullable=False),
        sa.Column("first_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "account"], ["accounts.plant", "accounts.account"], name=op.f("fk_account_ranges"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "account", "source", "range", name=op.f("pk_account_ranges")),
        info={"family": "accounts"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_account_ranges_raw_source_first_offset"), "account_ranges", ["raw_source", "first_offset"], unique=False
    )
    op.create_table(
        "account_sources",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("component_material", sa.Text(), nullable=False),
        sa.Column("component_lot", sa.Text(), nullable=False),
        sa.Column("recorded", sa.Text(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("bom_revision", sa.Text(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "account"], ["accounts.plant", "accounts.account"], name=op.f("fk_account_sources"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "account", "source", name=op.f("pk_account_sources")),
        info={"family": "accounts"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_account_sources_plant_component_material_component_lot"),
        "account_sources",
        ["plant", "component_material", "component_lot"],
        unique=False,
    )
    op.create_index(
        op.f("ix_account_sources_plant_equipment_run"), "account_sources", ["plant", "equipment", "run"], unique=False
    )
    op.create_table(
        "posting_correlations",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("posting_id", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "posting_id"],
            ["postings.plant", "postings.posting_id"],
            name=op.f("fk_posting_correlations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "posting_id", "correlation_id", name=op.f("pk_posting_correlations")),
        info={"family": "postings"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_posting_correlations_plant_correlation_id"), "posting_correlations", ["plant", "correlation_id"], unique=False
    )
    op.create_table(
        "posting_decisions",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("posting_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "posting_id"],
            ["postings.plant", "postings.posting_id"],
            name=op.f("fk_posting_decisions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "posting_id", "event_id", name=op.f("pk_posting_decisions")),
        info={"family": "postings"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "posting_movements",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("posting_id", sa.Text(), nullable=False),
        sa.Column("movement", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("derived", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "posting_id"],
            ["postings.plant", "postings.posting_id"],
            name=op.f("fk_posting_movements"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plant", "posting_id", "movement", name=op.f("pk_posting_movements")),
        info={"family": "postings"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_posting_movements_plant_material_lot"), "posting_movements", ["plant", "material", "lot"], unique=False
    )
    op.create_table(
        "posting_ranges",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("posting_id", sa.Text(), nullable=False),
        sa.Column("range", sa.BigInteger(), nullable=False),
        sa.Column("raw_source", sa.Text(), nullable=False),
        sa.Column("first_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plant", "posting_id"], ["postings.plant", "postings.posting_id"], name=op.f("fk_posting_ranges"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "posting_id", "range", name=op.f("pk_posting_ranges")),
        info={"family": "postings"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_posting_ranges_raw_source_first_offset"), "posting_ranges", ["raw_source", "first_offset"], unique=False
    )
    op.create_table(
        "posting_steps",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("posting_id", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plant", "posting_id"], ["postings.plant", "postings.posting_id"], name=op.f("fk_posting_steps"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plant", "posting_id", "step", name=op.f("pk_posting_steps")),
        info={"family": "postings"},
        sqlite_with_rowid=False,
    )
