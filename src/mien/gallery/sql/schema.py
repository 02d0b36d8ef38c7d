"""Tables of a store.

    store        one row: identity, the keys, the number of the last change, the end of the audit log
    collection   people of one purpose, in one embedding space
    person       a key of their own, and what is sealed by it: name, tags, notes
    face         where it came from, sealed; perhaps a crop, sealed
    template     its embedding, sealed; of several spaces while a collection is upgraded
    gone         what an index has to drop
    absorbed     who became part of whom when people were merged
    forgotten    which people and faces a restored backup has to forget again
    backup       where copies lie in which people have to be forgotten too
    audit        who did what, chained
    api_key      who may ask the server for what; of its secret a keyed digest only
    document     work that outlives a request, such as a job or a case: a key of its own, and what it seals
    attachment   photographs and results of a document, sealed by its key
    answer       what was answered to a request that may be repeated; for a day

Every change of people and faces takes the next number of the store, in the order in which changes are
committed; an index asks for what came after the number it knows. What is sealed is bound to its row. Times
are ISO 8601 in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_ID = String(13)
_TIME = String(32)

STORE = Table(
    "store",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("id", _ID, nullable=False),
    Column("created", _TIME, nullable=False),
    Column("master_id", String(64), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("audit_seq", BigInteger, nullable=False),
    Column("audit_mac", LargeBinary, nullable=False),
    CheckConstraint("one = 1", name="one"),
)

COLLECTION = Table(
    "collection",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("space", String(200), nullable=False),
    Column("embedder", String(200), nullable=False),
    Column("next_space", String(200)),
    Column("index_key", LargeBinary, nullable=False),
    Column("created", _TIME, nullable=False),
)

PERSON = Table(
    "person",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("collection_id", _ID, ForeignKey("collection.id"), nullable=False),
    Column("name_mac", LargeBinary),
    Column("key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("consent_until", String(10)),
    Column("created", _TIME, nullable=False),
    Column("version", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    UniqueConstraint("collection_id", "name_mac"),
    Index(None, "collection_id", "change"),
    Index(None, "collection_id", "consent_until"),
)

FACE = Table(
    "face",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("person_id", _ID, ForeignKey("person.id"), nullable=False, index=True),
    Column("collection_id", _ID, ForeignKey("collection.id"), nullable=False),
    Column("source_mac", LargeBinary),
    Column("sealed", LargeBinary, nullable=False),
    Column("crop", LargeBinary),
    Column("by_hand", Integer, nullable=False),
    Column("created", _TIME, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index(None, "collection_id", "change"),
    Index(None, "collection_id", "source_mac"),
)

TEMPLATE = Table(
    "template",
    METADATA,
    Column("face_id", _ID, ForeignKey("face.id"), primary_key=True),
    Column("space", String(200), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

GONE = Table(
    "gone",
    METADATA,
    Column("change", BigInteger, primary_key=True, autoincrement=False),
    Column("face_id", _ID, primary_key=True),
    Column("person_id", _ID, nullable=False),
    Column("collection_id", _ID, nullable=False),
)

ABSORBED = Table(
    "absorbed",
    METADATA,
    Column("person_id", _ID, primary_key=True),
    Column("into_id", _ID, nullable=False, index=True),
)

FORGOTTEN = Table(
    "forgotten",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("time", _TIME, nullable=False),
)

BACKUP = Table(
    "backup",
    METADATA,
    Column("path", String(1000), primary_key=True),
    Column("created", _TIME, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time", _TIME, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("collection_id", _ID),
    Column("detail", Text, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

API_KEY = Table(
    "api_key",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("mac", LargeBinary, nullable=False),
    Column("old_mac", LargeBinary),
    Column("old_until", _TIME),
    Column("sealed", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("collections", Text),
    Column("rate_per_minute", Integer),
    Column("created", _TIME, nullable=False),
    Column("expires", _TIME),
    Column("revoked", _TIME),
    Column("last_used", _TIME),
)

DOCUMENT = Table(
    "document",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("collection_id", _ID, ForeignKey("collection.id"), index=True),
    Column("owner", String(200), nullable=False),
    Column("state", String(40), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", _TIME, nullable=False),
    Column("changed", _TIME, nullable=False),
    Index(None, "kind", "owner"),
    Index(None, "kind", "state"),
)

ATTACHMENT = Table(
    "attachment",
    METADATA,
    Column("document_id", _ID, ForeignKey("document.id"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("person_id", _ID, index=True),
    Column("created", _TIME, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("document_id", "seq"),
)

ANSWER = Table(
    "answer",
    METADATA,
    Column("mac", LargeBinary, primary_key=True),
    Column("request_mac", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("sealed", LargeBinary),
    Column("created", _TIME, nullable=False, index=True),
)
