"""Data keys leave the database; take-downs, objections, and when a person was last in touch.

Revision ID: 0003
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    """Make two tables and a column, and drop the table of data keys.

    `sayso.store.database.Database` has copied the keys into the key store before this runs.
    """
    op.create_table(
        "takedowns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.String(), nullable=False),
        sa.Column("due_at", sa.String(), nullable=False),
        sa.Column("done_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_takedowns_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takedowns")),
        comment="published copies that are to be taken down; outlives publication and person",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_takedowns_person_id", "takedowns", ["person_id"], unique=False)
    op.create_table(
        "objections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("photo_sha256", sa.String(), nullable=False),
        sa.Column("box", sa.String(), nullable=True),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
        comment="asked by people who are not enrolled: no name, no template",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_objections_photo_sha256", "objections", ["photo_sha256"], unique=False)
    op.add_column("persons", sa.Column("last_interaction_at", sa.String(), nullable=True))
    op.execute(
        "UPDATE persons SET last_interaction_at = coalesce("
        "(SELECT max(at) FROM consent_events WHERE person_id = persons.id), asked_at)"
    )
    op.drop_table("data_keys")
