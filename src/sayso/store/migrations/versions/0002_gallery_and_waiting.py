"""How large a gallery faces were compared with; words that wait; names that no copy gets.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Leave both sizes empty: a collection's next scan writes them.

    Whose names the erasures before this removed nobody knows: their files stay unmarked.
    """
    for name in ("gallery_people", "gallery_references"):
        op.add_column("collections", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index(
        "ix_faces_no_face_by",
        "faces",
        ["no_face_by"],
        unique=False,
        sqlite_where=sa.text("no_face_by IS NOT NULL"),
    )
    for table in ("photos", "files"):
        op.add_column(
            table,
            sa.Column("tells_erased", sa.Boolean(), nullable=False, server_default=sa.text("0")),
        )
    op.create_index("ix_publications_folder", "publications", ["folder"], unique=False)
