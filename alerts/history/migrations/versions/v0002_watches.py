"""When each camera was seen by.

Revision ID: v0002
Revises: v0001
"""

import sqlalchemy as sa
from alembic import op

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    """Make the table of watches."""
    op.create_table(
        "watches",
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", "started_at", name=op.f("pk_watches")),
    )
    op.create_index(op.f("ix_watches_ended_at"), "watches", ["ended_at"], unique=False)


def downgrade() -> None:
    """Drop the table: coverage of the past is lost, nothing else."""
    op.drop_table("watches")
