"""The precision in which each vector was made, and those of each segment; "" for what is there already."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table in ("vectors", "segments"):
        op.add_column(table, sa.Column("precision", sa.Text(), nullable=False, server_default=""))
