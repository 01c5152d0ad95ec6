"""The first schema.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "carried_out",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_carried_out")),
        comment="ledger entries whose action happened, as far as they are not settled yet",
    )
    op.create_table(
        "collections",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("recognition", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=True),
        sa.Column("retain_until", sa.String(), nullable=True),
        sa.Column("declared_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("name", name=op.f("uq_collections_name")),
    )
    op.create_table(
        "concerned",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", "person_id", name=op.f("pk_concerned")),
        comment="whom each ledger entry is about; no foreign key: it ends with the entry's erasure",
    )
    op.create_index("ix_concerned_person_id", "concerned", ["person_id"], unique=False)
    op.create_table(
        "facts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
        comment="single facts of the workspace: its id, where its key is, the key's check",
    )
    op.create_table(
        "models",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("manifest", sa.String(), nullable=False),
        sa.Column("added_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_models")),
        sa.UniqueConstraint("name", name=op.f("uq_models_name")),
        comment="recognisers that were added to those that come with Sayso; the manifest as JSON",
    )
    op.create_table(
        "notices",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_notices")),
        comment="what people were told, word for word; one is current in each language",
    )
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
    op.create_table(
        "persons",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column("born", sa.String(), nullable=True),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("asked_at", sa.String(), nullable=False),
        sa.Column("enrolment", sa.String(), nullable=True),
        sa.Column("joined_at_sequence", sa.Integer(), nullable=False),
        sa.Column("last_interaction_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    op.create_index(op.f("ix_persons_enrolment"), "persons", ["enrolment"], unique=False)
    op.create_index(op.f("ix_persons_name_folded"), "persons", ["name_folded"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("token", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_suppressions")),
        comment="keyed hashes of forms and enrolments that were erased: they are no new yes",
    )
    op.create_table(
        "consent_events",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("scope", sa.String(), nullable=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("guardian", sa.String(), nullable=True),
        sa.Column("expires", sa.String(), nullable=True),
        sa.Column("evidence", sa.String(), nullable=True),
        sa.Column("notice", sa.String(), nullable=True),
        sa.Column("fields", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["persons.id"],
            name=op.f("fk_consent_events_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_consent_events")),
        comment="append-only while the person is known; scope, guardian, evidence, notice as JSON",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_events_person_id", "consent_events", ["person_id"], unique=False)
    op.create_table(
        "photos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("scanned_at", sa.String(), nullable=False),
        sa.Column("compared_through", sa.Integer(), nullable=True),
        sa.Column("scrutinised_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_photos_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("sha256", "collection_id", name=op.f("uq_photos_sha256_collection_id")),
        comment="one row for each content in a collection, however often it lies there",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_photos_collection_scrutinised",
        "photos",
        ["collection_id", "scrutinised_at"],
        unique=False,
    )
    op.create_index(
        "ix_photos_collection_compared",
        "photos",
        ["collection_id", "compared_through"],
        unique=False,
    )
    op.create_table(
        "profile_fields",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["persons.id"],
            name=op.f("fk_profile_fields_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "name", "audience", name=op.f("pk_profile_fields")),
    )
    op.create_table(
        "publications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_publications_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
    )
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
        "templates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("model_sha256", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("usable", sa.Float(), nullable=False),
        sa.Column("built_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_templates_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )
    op.create_index("ix_templates_person_id", "templates", ["person_id"], unique=False)
    op.create_table(
        "copies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_copies_photo_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_copies_publication_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
    )
    op.create_index("ix_copies_photo_id", "copies", ["photo_id"], unique=False)
    op.create_index("ix_copies_publication_id", "copies", ["publication_id"], unique=False)
    op.create_table(
        "faces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("landmarks", sa.String(), nullable=True),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("height_px", sa.Float(), nullable=False),
        sa.Column("certainty", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=True),
        sa.Column("no_face_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_faces_photo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faces")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_faces_photo_id", "faces", ["photo_id"], unique=False)
    op.create_table(
        "files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("modified_ns", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_files_collection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_files_photo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("collection_id", "path", name=op.f("uq_files_collection_id_path")),
        comment="where each content lies",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_files_photo_id", "files", ["photo_id"], unique=False)
    op.create_table(
        "judgements",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_id"], ["faces.id"], name=op.f("fk_judgements_face_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_judgements_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("face_id", "person_id", name=op.f("pk_judgements")),
        comment="what humans said: marked, rejected or unsure; no scan touches them",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_judgements_person_id", "judgements", ["person_id", "link"], unique=False)
    op.create_table(
        "answers",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("denies", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_id"], ["faces.id"], name=op.f("fk_answers_face_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_answers_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("face_id", "person_id", "operator", name=op.f("pk_answers")),
        comment="what operators said of a face where several must agree; gone once they do",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_answers_operator", "answers", ["operator"], unique=False)
    op.create_index("ix_answers_person_id", "answers", ["person_id"], unique=False)
    op.create_table(
        "shown",
        sa.Column("copy_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["copy_id"], ["copies.id"], name=op.f("fk_shown_copy_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_shown_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("copy_id", "person_id", name=op.f("pk_shown")),
        comment="whose faces a published copy shows: the take-down list",
    )
    op.create_index("ix_shown_person_id", "shown", ["person_id"], unique=False)
    op.create_table(
        "sightings",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("model_sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_id"], ["faces.id"], name=op.f("fk_sightings_face_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_sightings_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("face_id", "person_id", name=op.f("pk_sightings")),
        comment="what comparisons found: match or review; gone with the person's recognise",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_sightings_link_similarity", "sightings", ["link", "similarity"], unique=False
    )
    op.create_index(
        "ix_sightings_person_id", "sightings", ["person_id", "link", "similarity"], unique=False
    )
