"""The first schema: documents, chunks, vectors, words, and the manifest of the FAISS cache."""

import sqlalchemy as sa
from alembic import op

from indexer.schema import APPLICATION_ID

revision = "0001"
down_revision = None

WORDS = (
    """CREATE VIRTUAL TABLE words USING fts5(text, context, bigrams, content='chunks', content_rowid='id',
       tokenize="porter unicode61 remove_diacritics 2")""",
    """CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
       INSERT INTO words(rowid, text, context, bigrams) VALUES (new.id, new.text, new.context, new.bigrams); END""",
    """CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
       INSERT INTO words(words, rowid, text, context, bigrams)
       VALUES ('delete', old.id, old.text, old.context, old.bigrams); END""",
    """CREATE TRIGGER chunks_changed AFTER UPDATE OF text, context, bigrams ON chunks BEGIN
       INSERT INTO words(words, rowid, text, context, bigrams)
       VALUES ('delete', old.id, old.text, old.context, old.bigrams);
       INSERT INTO words(rowid, text, context, bigrams) VALUES (new.id, new.text, new.context, new.bigrams); END""",
)
"""External content: the index holds no second copy of the text. The triggers make it impossible for the words and the
chunks to part, whatever statement changes them."""


def upgrade() -> None:
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False, unique=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("modified", sa.Text()),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("repairs", sa.Text(), nullable=False),
        sa.Column("sections", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chunks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer()),
        sa.Column("line", sa.Integer()),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("simhash", sa.Integer(), nullable=False),
        sa.Column("numbers", sa.Integer(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("bigrams", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chunks_document_id", "chunks", ["document_id"])
    op.create_index("ix_chunks_digest", "chunks", ["digest"])
    op.create_table(
        "vectors",
        sa.Column("chunk_id", sa.Integer(), sa.ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
    )
    op.create_table("tombstones", sa.Column("chunk_id", sa.Integer(), primary_key=True))
    op.create_table(
        "segments",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("file", sa.Text(), nullable=False, unique=True),
        sa.Column("first_chunk", sa.Integer(), nullable=False),
        sa.Column("last_chunk", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "skipped",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seen", sa.Float(), nullable=False),
    )
    for statement in WORDS:
        op.execute(sa.text(statement.replace(":", r"\:")))
    op.execute(sa.text(f"PRAGMA application_id = {APPLICATION_ID}"))
