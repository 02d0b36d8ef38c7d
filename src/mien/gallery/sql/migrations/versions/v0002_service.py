"""Keys of an API, documents with attachments, answers that are given once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables; nothing that is there is touched."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(13), nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.Column("old_mac", sa.LargeBinary, nullable=True),
        sa.Column("old_until", sa.String(32), nullable=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("collections", sa.Text, nullable=True),
        sa.Column("rate_per_minute", sa.Integer, nullable=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("expires", sa.String(32), nullable=True),
        sa.Column("revoked", sa.String(32), nullable=True),
        sa.Column("last_used", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.String(13), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("collection_id", sa.String(13), nullable=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("changed", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="fk_document_collection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
    )
    op.create_index("ix_document_collection_id", "document", ["collection_id"])
    op.create_index("ix_document_kind_owner", "document", ["kind", "owner"])
    op.create_index("ix_document_kind_state", "document", ["kind", "state"])
    op.create_table(
        "attachment",
        sa.Column("document_id", sa.String(13), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("person_id", sa.String(13), nullable=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_attachment_document_id"),
        sa.PrimaryKeyConstraint("document_id", "name", name="pk_attachment"),
        sa.UniqueConstraint("document_id", "seq", name="uq_attachment_document_id_seq"),
    )
    op.create_index("ix_attachment_person_id", "attachment", ["person_id"])
    op.create_table(
        "answer",
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.Column("request_mac", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("sealed", sa.LargeBinary, nullable=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("mac", name="pk_answer"),
    )
    op.create_index("ix_answer_created", "answer", ["created"])
