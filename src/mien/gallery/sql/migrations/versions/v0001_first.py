"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables. Written out, not taken from the schema of the day: a migration never changes."""
    op.create_table(
        "store",
        sa.Column("one", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("id", sa.String(13), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("master_id", sa.String(64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("secrets", sa.LargeBinary, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("audit_seq", sa.BigInteger, nullable=False),
        sa.Column("audit_mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_store"),
        sa.CheckConstraint("one = 1", name="ck_store_one"),
    )
    op.create_table(
        "collection",
        sa.Column("id", sa.String(13), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("space", sa.String(200), nullable=False),
        sa.Column("embedder", sa.String(200), nullable=False),
        sa.Column("next_space", sa.String(200), nullable=True),
        sa.Column("index_key", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collection"),
        sa.UniqueConstraint("name", name="uq_collection_name"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(13), nullable=False),
        sa.Column("collection_id", sa.String(13), nullable=False),
        sa.Column("name_mac", sa.LargeBinary, nullable=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("consent_until", sa.String(10), nullable=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="fk_person_collection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("collection_id", "name_mac", name="uq_person_collection_id_name_mac"),
    )
    op.create_index("ix_person_collection_id_change", "person", ["collection_id", "change"])
    op.create_index("ix_person_collection_id_consent_until", "person", ["collection_id", "consent_until"])
    op.create_table(
        "face",
        sa.Column("id", sa.String(13), nullable=False),
        sa.Column("person_id", sa.String(13), nullable=False),
        sa.Column("collection_id", sa.String(13), nullable=False),
        sa.Column("source_mac", sa.LargeBinary, nullable=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("crop", sa.LargeBinary, nullable=True),
        sa.Column("by_hand", sa.Integer, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="fk_face_collection_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_face_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_face"),
    )
    op.create_index("ix_face_collection_id_change", "face", ["collection_id", "change"])
    op.create_index("ix_face_collection_id_source_mac", "face", ["collection_id", "source_mac"])
    op.create_index("ix_face_person_id", "face", ["person_id"])
    op.create_table(
        "template",
        sa.Column("face_id", sa.String(13), nullable=False),
        sa.Column("space", sa.String(200), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name="fk_template_face_id"),
        sa.PrimaryKeyConstraint("face_id", "space", name="pk_template"),
    )
    op.create_table(
        "gone",
        sa.Column("change", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("face_id", sa.String(13), nullable=False),
        sa.Column("person_id", sa.String(13), nullable=False),
        sa.Column("collection_id", sa.String(13), nullable=False),
        sa.PrimaryKeyConstraint("change", "face_id", name="pk_gone"),
    )
    op.create_table(
        "absorbed",
        sa.Column("person_id", sa.String(13), nullable=False),
        sa.Column("into_id", sa.String(13), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_absorbed"),
    )
    op.create_index("ix_absorbed_into_id", "absorbed", ["into_id"])
    op.create_table(
        "forgotten",
        sa.Column("id", sa.String(13), nullable=False),
        sa.Column("time", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forgotten"),
    )
    op.create_table(
        "backup",
        sa.Column("path", sa.String(1000), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_backup"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("time", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("collection_id", sa.String(13), nullable=True),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
