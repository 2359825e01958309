"""The table of names, filled from what is stored; and the words inside of names, for full-text search."""

import json

import sqlalchemy as sa
from alembic import op

from indexer.names import document_names, inner_words, name_rows, passage_names

revision = "0002"
down_revision = "0001"

INSERT = sa.text(
    "INSERT INTO names(form, document_id, chunk_id, match) VALUES (:form, :document_id, :chunk_id, :match)"
)
DOCUMENTS = sa.text("SELECT id, source, title, metadata FROM documents ORDER BY id")
CHUNKS = sa.text("SELECT id, context, text, bigrams FROM chunks WHERE document_id = :document ORDER BY id")
CHANGE = sa.text("UPDATE chunks SET bigrams = :bigrams WHERE id = :id")


def upgrade() -> None:
    op.create_table(
        "names",
        sa.Column("form", sa.Text(), primary_key=True),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("chunk_id", sa.Integer(), primary_key=True),
        sa.Column("match", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_names_document_id", "names", ["document_id"])
    connection = op.get_bind()
    for document in connection.execute(DOCUMENTS).all():
        chunks = connection.execute(CHUNKS, {"document": document.id}).all()
        if not chunks:
            continue
        called = document_names(document.source, document.title, json.loads(document.metadata))
        by_chunk = {0: called} | {chunk.id: passage_names(chunk.text, chunk.context) for chunk in chunks}
        if rows := name_rows(document.id, by_chunk):
            connection.execute(INSERT, rows)
        seen = {chunk.id: inner_words(f"{chunk.context} {chunk.text}") for chunk in chunks}
        changed = [{"id": chunk.id, "bigrams": seen[chunk.id]} for chunk in chunks if seen[chunk.id] != chunk.bigrams]
        if changed:
            connection.execute(CHANGE, changed)
