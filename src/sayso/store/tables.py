"""The tables. No column holds features outside ``templates.sealed``.

Ids of photographs and faces are integers that SQLite hands out; ids of people, collections and
templates are random, so that they tell nothing. Times are UTC, ISO 8601, as text.

Every index serves a query, or a foreign key whose parent's rows are removed: without one each
removal would read the whole child table. A test asks SQLite for the plan of every statement that
the services run, and fails where one reads a table from end to end that grows with what is held.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _person(*, primary: bool = False) -> Column[str]:
    """A reference to a person; the row goes when the person does."""
    return Column(
        "person_id",
        String,
        ForeignKey("persons.id", ondelete="CASCADE"),
        primary_key=primary,
        nullable=False,
    )


def _face() -> Column[int]:
    return Column("face_id", Integer, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True)


facts = Table(
    "facts",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    comment="single facts of the workspace: its id, where its key is, the key's check",
)

collections = Table(
    "collections",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("folder", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("recognition", String, nullable=False),
    Column("basis", String),
    Column("retain_until", String),
    Column("declared_at", String, nullable=False),
    # How large the gallery was that its faces were last compared with: thresholds follow from it.
    # Null: they never were.
    Column("gallery_people", Integer),
    Column("gallery_references", Integer),
)

photos = Table(
    "photos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "collection_id", String, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("sha256", String, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("format", String, nullable=False),
    Column("scanned_at", String, nullable=False),
    # The gallery's sequence up to which these faces were compared: newcomers have higher ones.
    # Null: it has no face that could be compared, and is never behind.
    Column("compared_through", Integer),
    # By content first: objections and publications ask for it in every collection.
    UniqueConstraint("sha256", "collection_id"),
    # When it was looked at as publication needs it; null: only as a scan does.
    Column("scrutinised_at", String),
    # What publication must still look at.
    Index("ix_photos_collection_scrutinised", "collection_id", "scrutinised_at"),
    # Who is behind, in the order of catching up (the id follows by itself), without the rows.
    Index("ix_photos_collection_compared", "collection_id", "compared_through"),
    # A file with this content was called by the name of somebody who was erased: no copy gets it.
    Column("tells_erased", Boolean, nullable=False, server_default=text("0")),
    sqlite_autoincrement=True,  # an id that was told is never given to another
    comment="one row for each content in a collection, however often it lies there",
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "collection_id", String, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("path", String, nullable=False),
    Column("photo_id", Integer, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("modified_ns", Integer, nullable=False),
    # Its path tells of somebody who was erased: no copy is called so, whatever lies there.
    Column("tells_erased", Boolean, nullable=False, server_default=text("0")),
    # Known or not, for each listed file; the pages of a collection, in the order of the paths.
    UniqueConstraint("collection_id", "path"),
    Index("ix_files_photo_id", "photo_id"),  # a photograph's paths
    sqlite_autoincrement=True,  # a scan tells files that came after it began by their ids
    comment="where each content lies",
)

faces = Table(
    "faces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("photo_id", Integer, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    # Ten numbers, x and y of the five landmarks, as JSON; null where a human drew the box.
    Column("landmarks", String),
    Column("score", Float, nullable=False),
    Column("height_px", Float, nullable=False),
    Column("certainty", String, nullable=False),
    # Of a face that was perhaps one: what a human said there is, which no look changes.
    Column("said", String),
    # Who said that there is none, where another must say so too.
    Column("no_face_by", String),
    Index("ix_faces_photo_id", "photo_id"),  # a photograph's faces
    # Words on places that wait for another operator's.
    Index("ix_faces_no_face_by", "no_face_by", sqlite_where=text("no_face_by IS NOT NULL")),
    sqlite_autoincrement=True,
)

persons = Table(
    "persons",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("name_folded", String, nullable=False, index=True),
    Column("born", String),
    Column("jurisdiction", String, nullable=False),
    Column("asked_at", String, nullable=False),
    # A keyed hash of the enrolment by which the person came: the same again changes nothing.
    Column("enrolment", String, index=True),
    # The gallery's sequence when this person's ``recognise`` last widened; 0: never.
    Column("joined_at_sequence", Integer, nullable=False),
    # The newest thing that the person did with us: what retention counts from.
    Column("last_interaction_at", String),
)

profile_fields = Table(
    "profile_fields",
    metadata,
    _person(primary=True),
    Column("name", String, primary_key=True),
    Column("audience", String, primary_key=True),
    Column("value", String, nullable=False),
)

consent_events = Table(
    "consent_events",
    metadata,
    Column("sequence", Integer, primary_key=True),
    _person(),
    Column("act", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("target", String),
    Column("scope", String),
    Column("at", String, nullable=False),
    Column("guardian", String),
    Column("expires", String),
    Column("evidence", String),
    Column("notice", String),
    Column("fields", String, nullable=False),
    Index("ix_consent_events_person_id", "person_id"),
    sqlite_autoincrement=True,
    comment="append-only while the person is known; scope, guardian, evidence, notice as JSON",
)

templates = Table(
    "templates",
    metadata,
    Column("id", String, primary_key=True),
    _person(),
    Column("model_sha256", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("usable", Float, nullable=False),
    Column("built_at", String, nullable=False),
    Index("ix_templates_person_id", "person_id"),
)

sightings = Table(
    "sightings",
    metadata,
    _face(),
    _person(primary=True),
    Column("link", String, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("model_sha256", String, nullable=False),
    # A person's photographs, best first; and what goes with a person.
    Index("ix_sightings_person_id", "person_id", "link", "similarity"),
    # What falls below a threshold that has risen, wherever it is.
    Index("ix_sightings_link_similarity", "link", "similarity"),
    sqlite_with_rowid=False,  # the key is the table: links are looked up by their face
    comment="what comparisons found: match or review; gone with the person's recognise",
)

judgements = Table(
    "judgements",
    metadata,
    _face(),
    _person(primary=True),
    Column("link", String, nullable=False),
    Column("at", String, nullable=False),
    Index("ix_judgements_person_id", "person_id", "link"),
    sqlite_with_rowid=False,
    comment="what humans said: marked, rejected or unsure; no scan touches them",
)

answers = Table(
    "answers",
    metadata,
    _face(),
    _person(primary=True),
    Column("operator", String, primary_key=True),
    Column("link", String, nullable=False),
    # Whether they have spoken against the person, whatever they said later.
    Column("denies", Boolean, nullable=False),
    Column("at", String, nullable=False),
    Index("ix_answers_person_id", "person_id"),
    Index("ix_answers_operator", "operator"),  # what waits for somebody else's word
    sqlite_with_rowid=False,
    comment="what operators said of a face where several must agree; gone once they do",
)

publications = Table(
    "publications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "collection_id", String, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("channel", String, nullable=False),
    Column("folder", String, nullable=False),
    Column("at", String, nullable=False),
    Index("ix_publications_folder", "folder"),  # what lies in a folder: its newest
)

copies = Table(
    "copies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "publication_id", Integer, ForeignKey("publications.id", ondelete="CASCADE"), nullable=False
    ),
    Column("photo_id", Integer, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False),
    Column("path", String, nullable=False),
    Column("sha256", String, nullable=False),
    Index("ix_copies_publication_id", "publication_id"),
    Index("ix_copies_photo_id", "photo_id"),
)

shown = Table(
    "shown",
    metadata,
    Column("copy_id", Integer, ForeignKey("copies.id", ondelete="CASCADE"), primary_key=True),
    _person(primary=True),
    Index("ix_shown_person_id", "person_id"),
    comment="whose faces a published copy shows: the take-down list",
)

takedowns = Table(
    "takedowns",
    metadata,
    Column("id", Integer, primary_key=True),
    # Of whom; nobody once they are erased: the place stays to be acted on, the person does not.
    Column("person_id", String, ForeignKey("persons.id", ondelete="SET NULL")),
    Column("reason", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("folder", String, nullable=False),
    Column("path", String, nullable=False),
    Column("photo_id", Integer, nullable=False),
    Column("published_at", String, nullable=False),
    Column("due_at", String, nullable=False),
    Column("done_at", String),
    Index("ix_takedowns_person_id", "person_id"),
    sqlite_autoincrement=True,
    comment="published copies that are to be taken down; outlives publication and person",
)

objections = Table(
    "objections",
    metadata,
    Column("id", Integer, primary_key=True),
    # By content, so that it holds wherever the file lies and however often it is scanned.
    Column("photo_sha256", String, nullable=False),
    # Four numbers as JSON; null: the whole photograph.
    Column("box", String),
    Column("request", String, nullable=False),
    Column("note", String, nullable=False),
    Column("at", String, nullable=False),
    Index("ix_objections_photo_sha256", "photo_sha256"),
    sqlite_autoincrement=True,
    comment="asked by people who are not enrolled: no name, no template",
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("token", String, primary_key=True),
    comment="keyed hashes of forms and enrolments that were erased: they are no new yes",
)

carried_out = Table(
    "carried_out",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    comment="ledger entries whose action happened, as far as they are not settled yet",
)

concerned = Table(
    "concerned",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("person_id", String, primary_key=True),
    Index("ix_concerned_person_id", "person_id"),
    comment="whom each ledger entry is about; no foreign key: it ends with the entry's erasure",
)

notices = Table(
    "notices",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("language", String, nullable=False),
    Column("text", String, nullable=False),
    Column("current", Boolean, nullable=False),
    Column("added_at", String, nullable=False),
    comment="what people were told, word for word; one is current in each language",
)

models = Table(
    "models",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("manifest", String, nullable=False),
    Column("added_at", String, nullable=False),
    comment="recognisers that were added to those that come with Sayso; the manifest as JSON",
)
