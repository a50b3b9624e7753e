"""Dead letters, figures, configurations, clocks and positions."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    op.create_table(
        "about",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_about")),
        info={"family": "about"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "clocks",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("partition", sa.BigInteger(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("reached_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "stage", "partition", name=op.f("pk_clocks")),
        info={"family": "clocks"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "configurations",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("plant_yaml", sa.Text(), nullable=False),
        sa.Column("rules_yaml", sa.Text(), nullable=False),
        sa.Column("erp_yaml", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_configurations")),
        info={"family": "configurations"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_configurations_plant_rule_version"), "configurations", ["plant", "rule_version"], unique=False)
    op.create_table(
        "cut_offs",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "period", "account", "code", name=op.f("pk_cut_offs")),
        info={"family": "cut_offs"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "exception_events",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("raw_source", sa.Text(), nullable=False),
        sa.Column("raw_offset", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "letter", "event_id", "state", name=op.f("pk_exception_events")),
        info={"family": "exception_events"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "exceptions",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("raw_source", sa.Text(), nullable=False),
        sa.Column("raw_offset", sa.BigInteger(), nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.Column("original_sha256", sa.Text(), nullable=False),
        sa.Column("original_bytes", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "letter", name=op.f("pk_exceptions")),
        info={"family": "exceptions"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_exceptions_plant_code"), "exceptions", ["plant", "code"], unique=False)
    op.create_index(
        op.f("ix_exceptions_plant_raw_source_raw_offset"), "exceptions", ["plant", "raw_source", "raw_offset"], unique=False
    )
    op.create_index(op.f("ix_exceptions_plant_received_at"), "exceptions", ["plant", "received_at"], unique=False)
    op.create_table(
        "figures",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "figure", "subject", name=op.f("pk_figures")),
        info={"family": "figures"},
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_figures_plant_figure_code"), "figures", ["plant", "figure", "code"], unique=False)
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.BigInteger(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_positions")),
        info={"family": "positions"},
        sqlite_with_rowid=True,
    )
    op.create_table(
        "upstreams",
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("on_silence", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("last_tick", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "upstream", name=op.f("pk_upstreams")),
        info={"family": "upstreams"},
        sqlite_with_rowid=True,
    )
