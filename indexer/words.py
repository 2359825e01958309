"""Full-text search: how text becomes FTS5 rows, and how a person's words become an FTS5 query.

It knows tokens and the `words` table, and nothing of vectors. FTS5 has a query language of its own (`NEAR`, `col:`,
`-`, `*`); whatever a person types is quoted token by token, so that it is always ordinary text.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, column, func, literal_column, select, table, true

from indexer.compounds import (
    COMPOUNDING,
    SHORTEST,
    SHORTEST_PART,
    beginning_with,
    ending_with,
    ends_of,
    is_end,
    parts_of,
)
from indexer.languages import function_words, language_of
from indexer.schema import chunks, documents
from indexer.stems import STEMMERS, stem, stems, stems_of
from indexer.types import Hit

if TYPE_CHECKING:
    import regex
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql.elements import ColumnClause, ColumnElement

MAX_TERMS = 64
"""Most terms in one query: 5,000 terms joined by OR took 1.4 s on 20,000 chunks."""
WEIGHTS = (1.0, 1.0, 1.0, 1.0)
"""BM25 weights of the columns text, context (title and headings), bigrams and stems."""

_STOP_WORDS = """
a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my of on or
our shall should so such than that the their them then there these they this to us was we were what when where which
while who whom whose why will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


@lru_cache(maxsize=1)
def _patterns() -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    import regex

    unspaced = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
    return regex.compile(unspaced + "+"), regex.compile(r"[\p{L}\p{N}\p{M}\p{Co}]+")


def bigrams(passage: str) -> str:
    """Return the overlapping pairs of characters of every run in a script that writes no spaces, joined by spaces.

    FTS5's unicode61 tokenizer takes such a run for one word, so that a word inside a sentence is never found.
    """
    if passage.isascii():
        return ""
    runs, _ = _patterns()
    return " ".join(pair for run in runs.findall(passage) for pair in _pairs(run))


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def folded_words(passage: str) -> list[str]:
    """Return the words of `passage`, case-folded, in order, with repetitions."""
    runs, words = _patterns()
    found = words.findall(runs.sub(" ", unicodedata.normalize("NFC", passage)))
    return [word.casefold() for word in found]


def content_words(passage: str) -> list[str]:
    """Return the words of `passage`, case-folded, in order, with repetitions; stop words only if nothing else."""
    folded = folded_words(passage)
    return [word for word in folded if word not in STOP_WORDS] or folded


def stems_in(passage: str, language: str) -> str:
    """Return the stems of the words of a passage in this language, joined by spaces; "" where it needs none.

    Behind them stand the ends of those that may be compounds.
    """
    if language not in STEMMERS:
        return ""
    found = stems(folded_words(passage), language)
    ends = [end for each in dict.fromkeys(found) for end in ends_of(each)] if language in COMPOUNDING else []
    return " ".join([*found, *ends])


def word_spans(passage: str) -> list[tuple[int, int]]:
    """Return where each word of `passage` stands: half-open, in characters, in order."""
    _, words = _patterns()
    return [match.span() for match in words.finditer(passage)]


def _has_stem(connection: Connection, stemmed: str) -> bool:
    query = select(ROWID).select_from(WORDS).where(MATCHES).limit(1)
    return connection.execute(query, {"expression": f'stems:"{stemmed}"'}).first() is not None


def _compounds(word: str, languages: Sequence[str], has_stem: Callable[[str], bool]) -> list[str]:
    """Return the FTS5 phrases for compounds with this word in them, and for the parts of the word if it is one."""
    found: list[str] = []
    for language in languages:
        if language not in COMPOUNDING or not word.isalpha():
            continue
        stemmed = stem(word, language)
        if len(stemmed) >= SHORTEST_PART:
            found += [f'stems:"{ending_with(stemmed)}" *', f'stems:"{beginning_with(stemmed)}" *']
        if len(stemmed) >= SHORTEST:
            parts = parts_of(word, partial(stem, language=language), has_stem)
            found += [f'(stems:"{head}" AND stems:"{tail}")' for head, tail in parts]
    return list(dict.fromkeys(found))


def _has_none(stemmed: str) -> bool:
    return False


def match_expression(question: str, languages: Sequence[str] = (), has_stem: Callable[[str], bool] = _has_none) -> str:
    """Return an FTS5 query that matches any of the question's words; "" when it holds none.

    A word that the question repeats stands repeatedly in the query and so counts as often in BM25 (its query term
    frequency): on long requests that is worth 6 to 7 points of nDCG@10. `languages` are those of the passages; in
    those that the question may be in, its words match in any form (`indexer.stems`), and as parts of compounds; a
    compound also matches both of its parts where `has_stem` is true of them.
    """
    runs, _ = _patterns()
    pairs = [pair for run in runs.findall(unicodedata.normalize("NFC", question)) for pair in _pairs(run)]
    said = _asked_words(question)[:MAX_TERMS]
    quoted = [f'"{word}"' for word in said]
    stemmed_in = _stemmed_in(question, languages)
    inflected = [each for word in said for each in stems_of(word, stemmed_in)]
    quoted += [f'stems:"{each}"' for each in inflected[:MAX_TERMS]]
    quoted += [each for word in said for each in _compounds(word, stemmed_in, has_stem)][:MAX_TERMS]
    quoted += [f'bigrams:"{pair}"' for pair in list(dict.fromkeys(pairs))[:MAX_TERMS]]
    return " OR ".join(quoted)


def alternatives(
    question: str, languages: Sequence[str] = (), has_stem: Callable[[str], bool] = _has_none
) -> list[list[str]]:
    """Return, for each different word of a question, the FTS5 phrases any of which matches it."""
    runs, _ = _patterns()
    pairs = [pair for run in runs.findall(unicodedata.normalize("NFC", question)) for pair in _pairs(run)]
    stemmed_in = _stemmed_in(question, languages)
    said = [] if pairs and not folded_words(question) else list(dict.fromkeys(_asked_words(question)))
    of_words = [
        [
            f'"{word}"',
            *(f'stems:"{each}"' for each in stems_of(word, stemmed_in)),
            *_compounds(word, stemmed_in, has_stem),
        ]
        for word in said
    ]
    return [*of_words[:MAX_TERMS], *([f'bigrams:"{pair}"'] for pair in list(dict.fromkeys(pairs))[:MAX_TERMS])]


def _asked_words(question: str) -> list[str]:
    """Return the content words of a question, without the function words of its language if anything is left."""
    said = content_words(question)
    language = language_of(question)
    without = frozenset() if language == "en" else function_words(language)
    return [word for word in said if word not in without] or said


def _stemmed_in(question: str, languages: Sequence[str]) -> Sequence[str]:
    """Return in which of the passages' languages the words of a question are stemmed: its own, or all when unsure."""
    language = language_of(question)
    return [language] if language in languages else () if language == "en" else languages


def languages_in(connection: Connection) -> list[str]:
    """Return the languages of the passages, by their ISO 639-1 codes and in their order."""
    return [str(row[0]) for row in connection.exec_driver_sql(_LANGUAGES) if row[0]]


_LANGUAGES = """
WITH RECURSIVE found(language) AS (
    SELECT min(language) FROM chunks
    UNION ALL
    SELECT (SELECT min(language) FROM chunks WHERE chunks.language > found.language) FROM found
    WHERE found.language IS NOT NULL
)
SELECT language FROM found WHERE language IS NOT NULL
"""
"""One look into the index for each language, where DISTINCT would read an entry for each passage."""


def _expression(connection: Connection, question: str) -> str:
    return match_expression(question, languages_in(connection), partial(_has_stem, connection))


def search(connection: Connection, question: str, k: int, where: ColumnElement[bool] | None = None) -> list[Hit]:
    """Return the `k` chunks that match `question` best by BM25 (Robertson & Zaragoza 2009; k1 = 1.2, b = 0.75).

    `where` is a condition on documents (see `filters.py`). SQLite's bm25() is smaller for a better match; the score
    here is its negative.
    """
    expression = _expression(connection, question)
    if not expression or k < 1:
        return []
    badness = func.bm25(literal_column("words"), *WEIGHTS).label("badness")
    query = select(ROWID, badness).select_from(WORDS).where(MATCHES, _of(where)).order_by(badness, ROWID).limit(k)
    return [Hit(row.rowid, -row.badness) for row in connection.execute(query, {"expression": expression})]


def matches(connection: Connection, question: str, where: ColumnElement[bool] | None = None) -> bool:
    """Tell whether any chunk matches any of the question's words; `where` as in `search`."""
    expression = _expression(connection, question)
    query = select(ROWID).select_from(WORDS).where(MATCHES, _of(where)).limit(1)
    return bool(expression) and connection.execute(query, {"expression": expression}).first() is not None


def _of(where: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return true() if where is None else ROWID.in_(select(chunks.c.id).join(documents).where(where))


def shares(connection: Connection, question: str, chunk_ids: Sequence[int]) -> dict[int, float]:
    """Return, for each chunk, what share of the question's words it has, each counted once: 0 to 1.

    Unlike BM25 it does not depend on what else is stored.
    """
    of_words = alternatives(question, languages_in(connection), partial(_has_stem, connection))
    found = dict.fromkeys(chunk_ids, 0)
    query = select(ROWID).select_from(WORDS).where(MATCHES, ROWID.in_(chunk_ids))
    for phrases in of_words if chunk_ids else ():
        for rowid in connection.execute(query, {"expression": " OR ".join(phrases)}).scalars():
            found[rowid] += 1
    return {chunk: count / max(1, len(of_words)) for chunk, count in found.items()}


def matched_words(connection: Connection, question: str, chunk_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return, for each chunk that the question's words match, which of its words they matched, as they are written."""
    expression = _expression(connection, question)
    if not expression or not chunk_ids:
        return {}
    marked = [func.highlight(literal_column("words"), column, MARK, MARK) for column in range(len(WEIGHTS))]
    query = select(ROWID, *marked).select_from(WORDS).where(MATCHES, ROWID.in_(chunk_ids))
    of_chunks = select(chunks.c.id, chunks.c.language).where(chunks.c.id.in_(chunk_ids))
    languages = {row.id: row.language for row in connection.execute(of_chunks)}
    found = {}
    for rowid, *texts, stemmed in connection.execute(query, {"expression": expression}):
        pieces = {piece.casefold() for text in texts for piece in _marked(text)}
        if same := set(_marked(stemmed)):  # what is marked are stems or their ends; what was written are words
            for word in folded_words(" ".join(texts[:2])):
                stemmed_word = stem(word, languages[rowid])
                if stemmed_word in same or not same.isdisjoint(ends_of(stemmed_word)):
                    pieces.add(word)
        pieces = {piece for piece in pieces if piece and not is_end(piece)}
        found[int(rowid)] = sorted(pieces)
    return found


def _marked(text: str) -> list[str]:
    return str(text).split(MARK)[1::2]


MARK = "\x02"  # cannot occur in stored text: cleaning removes control characters
WORDS = table("words")
ROWID: ColumnClause[int] = column("rowid")
MATCHES = literal_column("words").op("MATCH")(bindparam("expression"))


def occurs(connection: Connection, word: str, spoken: Collection[str] = ()) -> bool:
    """Tell whether any chunk has this word, in any of its forms in the languages `spoken`, or a compound of it.

    Where none is given, its forms are those of all languages of the passages.
    """
    found = select(ROWID).select_from(WORDS).where(MATCHES).limit(1)
    plain, languages = _plain(word).casefold(), sorted(spoken) or languages_in(connection)
    inflected = "".join(f' OR stems:"{each}"' for each in stems_of(plain, languages))
    inflected += "".join(f" OR {each}" for each in _compounds(plain, languages, _has_none))
    return connection.execute(found, {"expression": f'{_WRITTEN}"{plain}"{inflected}'}).first() is not None


def vocabulary(connection: Connection, start: str) -> list[tuple[str, int]]:
    """Return the terms that begin with `start`, in order, and in how many chunks each is written.

    Terms are as FTS5 keeps them: small, without accents, without their endings (Porter 1980). It takes about 2 µs a
    term.
    """
    _look_inside(connection, "vocabulary", "col")
    terms = """
        SELECT term, max(doc) FROM temp.vocabulary WHERE term >= ? AND term < ? AND col IN ('text', 'context')
        GROUP BY term ORDER BY term
    """
    return [(str(term), int(count)) for term, count in connection.exec_driver_sql(terms, (start, start + "\U0010ffff"))]


def _look_inside(connection: Connection, name: str, kind: str) -> None:
    """Make a temporary view of what FTS5 keeps, which changes nothing."""
    connection.exec_driver_sql("PRAGMA query_only=OFF")
    connection.exec_driver_sql(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{name} USING fts5vocab(main, words, {kind})")
    connection.exec_driver_sql("PRAGMA query_only=ON")


def as_written(connection: Connection, term: str, most: int) -> tuple[Counter[str], set[str]]:
    """Return the words of the first `most` chunks that have a term, how often each is there, and the chunks' languages.

    The term is looked up as it is kept: asked for as a word it would lose its ending again ("schleus" of "Schleuse").
    A chunk whose language is unsure has "".
    """
    _look_inside(connection, "instances", "instance")
    having = "SELECT DISTINCT doc FROM temp.instances WHERE term = ? AND col IN ('text', 'context') LIMIT ?"
    ids = [int(row[0]) for row in connection.exec_driver_sql(having, (term, most))]
    query = select(chunks.c.text, chunks.c.context, chunks.c.language).where(chunks.c.id.in_(ids))
    rows = connection.execute(query).all()
    _, word = _patterns()
    written = Counter(each for row in rows for each in word.findall(f"{row.context} {row.text}"))
    return written, {row.language for row in rows}


def languages_with(connection: Connection, terms: Sequence[str], most: int) -> set[str]:
    """Return the languages of the first `most` chunks that have each of the words; "" is that of one that is unsure."""
    found: set[str] = set()
    for term in terms:
        having = select(ROWID).select_from(WORDS).where(MATCHES).order_by(ROWID).limit(most)
        query = select(chunks.c.language).where(chunks.c.id.in_(having))
        found.update(connection.execute(query, {"expression": f'{_WRITTEN}"{_plain(term)}"'}).scalars())
    return found


def _plain(word: str) -> str:
    return word.replace('"', "")


_WRITTEN = "{text context}:"
"""Not the column of bigrams."""
