"""The language of each chunk and the stems of its words, for full-text search in other languages than English."""

import sqlalchemy as sa
from alembic import op

from indexer.findable import word_columns

revision = "0003"
down_revision = "0002"

WORDS = (
    """CREATE VIRTUAL TABLE words USING fts5(text, context, bigrams, stems, content='chunks', content_rowid='id',
       tokenize="porter unicode61 remove_diacritics 2")""",
    """CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
       INSERT INTO words(rowid, text, context, bigrams, stems)
       VALUES (new.id, new.text, new.context, new.bigrams, new.stems); END""",
    """CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
       INSERT INTO words(words, rowid, text, context, bigrams, stems)
       VALUES ('delete', old.id, old.text, old.context, old.bigrams, old.stems); END""",
    """CREATE TRIGGER chunks_changed AFTER UPDATE OF text, context, bigrams, stems ON chunks BEGIN
       INSERT INTO words(words, rowid, text, context, bigrams, stems)
       VALUES ('delete', old.id, old.text, old.context, old.bigrams, old.stems);
       INSERT INTO words(rowid, text, context, bigrams, stems)
       VALUES (new.id, new.text, new.context, new.bigrams, new.stems); END""",
    "INSERT INTO words(words) VALUES ('rebuild')",
)
"""As in 0001, with one more column; the index is then made again from the chunks."""
DOCUMENTS = sa.text("SELECT DISTINCT document_id FROM chunks ORDER BY document_id")
CHUNKS = sa.text("SELECT id, context, text FROM chunks WHERE document_id = :document ORDER BY id")
CHANGE = sa.text("UPDATE chunks SET bigrams = :bigrams, language = :language, stems = :stems WHERE id = :id")


def upgrade() -> None:
    for trigger in ("chunks_added", "chunks_removed", "chunks_changed"):
        op.execute(sa.text(f"DROP TRIGGER {trigger}"))
    op.execute(sa.text("DROP TABLE words"))
    op.add_column("chunks", sa.Column("language", sa.Text(), nullable=False, server_default=""))
    op.add_column("chunks", sa.Column("stems", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    for document in connection.execute(DOCUMENTS).scalars().all():
        chunks = connection.execute(CHUNKS, {"document": document}).all()
        columns = word_columns([(chunk.context, chunk.text) for chunk in chunks])
        connection.execute(CHANGE, [{"id": chunk.id, **each} for chunk, each in zip(chunks, columns, strict=True)])
    op.create_index("ix_chunks_language", "chunks", ["language"])
    for statement in WORDS:
        op.execute(sa.text(statement.replace(":", r"\:")))
