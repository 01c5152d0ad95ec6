"""How large the gallery was that a collection's faces were last compared with.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Leave both empty: a collection's next scan writes them."""
    for name in ("gallery_people", "gallery_references"):
        op.add_column("collections", sa.Column(name, sa.Integer(), nullable=True))
