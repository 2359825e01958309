"""The stems of chunks in languages that write compounds as one word, with the ends by which their parts are found."""

import sqlalchemy as sa
from alembic import op

from indexer.compounds import COMPOUNDING
from indexer.words import stems_in

revision = "0005"
down_revision = "0004"

CHUNKS = sa.text(
    "SELECT id, context, text, stems FROM chunks WHERE language = :language AND id > :after ORDER BY id LIMIT 500"
)
CHANGE = sa.text("UPDATE chunks SET stems = :stems WHERE id = :id")


def upgrade() -> None:
    connection = op.get_bind()
    for language in sorted(COMPOUNDING):
        after = 0
        while rows := connection.execute(CHUNKS, {"language": language, "after": after}).all():
            made = [{"id": row.id, "stems": stems_in(f"{row.context} {row.text}", language)} for row in rows]
            changed = [each for each, row in zip(made, rows, strict=True) if each["stems"] != row.stems]
            if changed:
                connection.execute(CHANGE, changed)
            after = rows[-1].id
