"""How a question and a passage are laid out as tokens: one function for training and for asking.

    [CLS] question [SEP] context [SEP] passage [SEP]

The context (title and headings) may be empty; then it and its [SEP] are left out. A passage that is too long is read in
windows that overlap. Knows tokens and characters; nothing of models.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer import native
from indexer.errors import UsageError, UserError
from indexer.sentences import sentences

Flags = npt.NDArray[np.bool_]
Offsets = npt.NDArray[np.int32]
"""Shape (n, 2): where each token begins and ends, half-open, in characters."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How much is read at once, in tokens."""

    question_tokens: int = 64
    """What a longer question is cut to."""
    context_tokens: int = 24
    """What a longer context is cut to, at its beginning: the nearest heading comes last."""
    window: int = 384
    """Longest input: question, context, passage and the special tokens."""
    overlap: int = 128
    """Tokens of the passage that two neighbouring windows share."""

    def __post_init__(self) -> None:
        head = self.question_tokens + self.context_tokens + 3  # [CLS] and two [SEP]
        if self.window < head + 2:
            raise UsageError(
                f"A window of {self.window} tokens has no room for a passage: question and context take up to {head}.",
                f"Choose a window of at least {head + 2} tokens.",
            )


@dataclass(frozen=True, slots=True)
class Words:
    """A passage's tokens."""

    ids: list[int]
    offsets: Offsets
    opens: Flags
    """Whether a span may begin with this token: no word and no number is torn."""
    closes: Flags
    """Whether a span may end with it."""
    stretches: npt.NDArray[np.int64]
    """Number of the stretch of text that the token stands in, not falling: no answer reaches from one to the next."""


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the model: `ids[first : first + len(words)]` are the passage's tokens from `begin` to `end`."""

    ids: list[int]
    types: list[int]
    """1 for the passage and the [SEP] after it, else 0."""
    first: int
    begin: int
    end: int


class Tokens:
    """Makes the model's inputs. Text is only text: "[SEP]" in a document is spelled out."""

    def __init__(self, tokenizer: Path, layout: Layout = Layout()) -> None:
        self.layout = layout
        try:
            self._tokenizer = native.tokenizer(tokenizer)
        except Exception as error:  # the library raises Exception itself
            raise UserError(f"The tokenizer {tokenizer} does not read: {error}.", "Install footnote again.") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = True
        around = self._tokenizer.encode("").ids  # [CLS] and [SEP], whatever they are called here
        if len(around) != 2:
            raise UserError(f"The tokenizer {tokenizer} has no [CLS] and [SEP] tokens.", "Choose a BERT-like encoder.")
        self._cls, self._sep = around

    def ids(self, text: str) -> list[int]:
        """Return the token ids of a text, without special tokens."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def text(self, ids: Sequence[int]) -> str:
        """Return the text that tokens stand for."""
        text: str = self._tokenizer.decode(list(ids))
        return text

    def never_written(self) -> Flags:
        """Return which tokens, (v,), stand for no text: the special and the unused ones."""
        vocabulary = self._tokenizer.get_vocab()
        never = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
        never[[place for token, place in vocabulary.items() if token.startswith("[") and token.endswith("]")]] = True
        never[list(self._tokenizer.get_added_tokens_decoder())] = True
        return never

    def continuing(self) -> Flags:
        """Return which tokens, (v,), are the rest of a word: they stand for nothing without the token before them."""
        vocabulary = self._tokenizer.get_vocab()
        rest = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
        rest[[place for token, place in vocabulary.items() if token.startswith("##") and len(token) > 2]] = True
        return rest

    def words(self, passage: str) -> Words:
        """Return a passage's tokens, with the places where spans may begin and end."""
        encoding = self._tokenizer.encode(passage, add_special_tokens=False)
        offsets = np.array(_with_marks(passage, encoding.offsets), dtype=np.int32).reshape(-1, 2)
        opens = np.array([not torn(passage, start) for start in offsets[:, 0].tolist()], dtype=bool)
        closes = np.array([not torn(passage, end) for end in offsets[:, 1].tolist()], dtype=bool)
        shared = offsets[1:, 0] < offsets[:-1, 1]  # one character is several tokens, as each Korean syllable is
        opens[1:] &= ~shared
        closes[:-1] &= ~shared
        stretches = np.searchsorted(_borders(passage), offsets[:, 0], side="right")
        return Words(encoding.ids, offsets, opens, closes, stretches)

    def head(self, question: str, context: str) -> list[int]:
        """Return what stands before the passage."""
        asked = self.ids(question)[: self.layout.question_tokens]
        around = self.ids(context)
        around = around[max(0, len(around) - self.layout.context_tokens) :]
        return [self._cls, *asked, self._sep, *around, *([self._sep] if around else [])]

    def windows(self, head: Sequence[int], words: Words) -> list[Window]:
        """Return the inputs that together read every token of a passage; at least one, also for an empty passage."""
        room = self.layout.window - len(head) - 1
        last = max(0, len(words.ids) - room)
        begins = [*range(0, last, max(1, room - self.layout.overlap)), last]
        made = []
        for begin in begins:
            read = words.ids[begin : begin + room]
            ids = [*head, *read, self._sep]
            types = [0] * len(head) + [1] * (len(read) + 1)
            made.append(Window(ids, types, len(head), begin, begin + len(read)))
        return made


def token_span(words: Words, start: int, end: int) -> tuple[int, int] | None:
    """Return the first and last token (inclusive) of the characters [start, end), widened to whole words.

    None where no token lies there.
    """
    inside = np.flatnonzero((words.offsets[:, 1] > start) & (words.offsets[:, 0] < end))
    if not len(inside):
        return None
    first, last = int(inside[0]), int(inside[-1])
    while first > 0 and not words.opens[first]:
        first -= 1
    while last < len(words.ids) - 1 and not words.closes[last]:
        last += 1
    return first, last


def torn(text: str, cut: int) -> bool:
    """Tell whether a cut before character `cut` goes through a word, a number such as "75,000", or a character."""
    if not 0 < cut < len(text):
        return False
    before, after = text[cut - 1], text[cut]
    if _clings(after) or before == _JOINER:
        return True
    base = cut - 1
    while base > 0 and _clings(text[base]):
        base -= 1
    before = text[base]
    if before.isalnum() and after.isalnum():
        return not (_is_unspaced(before) or _is_unspaced(after))
    if after in ".,:" and before.isdigit():
        return text[cut + 1 : cut + 2].isdigit()
    return before in ".,:" and after.isdigit() and text[cut - 2 : cut - 1].isdigit()


def _borders(passage: str) -> list[int]:
    """Return where a stretch ends: sentences, cells of a table, the text and the address of a Markdown link.

    Of 6,000 answers of SQuAD v1.1 train, 6 reach over such a border, 4 of them over an abbreviation taken for one.
    """
    ends = [end for _, end in sentences(passage)]
    return sorted({*ends, *(match.start() for match in _CELL_OR_LINK.finditer(passage))})


_CELL_OR_LINK = re.compile(r"\||\]\(")
_JOINER = "\u200d"
"""Zero width joiner: what stands before and after it is shown as one character."""


def _clings(char: str) -> bool:
    """Return whether a character is shown together with the one before it: a mark, a joiner, a tone of skin."""
    if char < "\u0300":
        return False
    return unicodedata.category(char)[0] == "M" or char in "\u200c\u200d" or "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_unspaced(char: str) -> bool:
    """Return whether a character is of a script that puts no spaces between words: Han, kana, Yi.

    Thai and its neighbours put none either, but a word there is more than a character: they are torn nowhere.
    """
    return (
        "\u2e80" <= char < "\ua4d0"
        or "\uf900" <= char < "\ufb00"
        or "\uff66" <= char < "\uffa0"
        or char >= "\U00020000"
    )


def _with_marks(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the offsets, each reaching over the marks after it that are in no token: the tokenizer drops them."""
    made = []
    for place, (start, end) in enumerate(offsets):
        bound = offsets[place + 1][0] if place + 1 < len(offsets) else len(text)
        while end < bound and _clings(text[end]):
            end += 1
        made.append((start, end))
    return made
