"""Measures how a tokenizer cuts texts: tokens a word, words kept whole, what it has no tokens for; and shows it.

Fertility and the share of words kept whole as in Rust et al. 2021 ("How good is your tokenizer?").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[^\W\d_]+")
_LINE = 2000
"""Characters that are tokenized together."""
_SHOWN = 5
"""Words shown of each sort."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a tokenizer cuts some texts; shares lie between 0 and 1."""

    vocabulary: int
    words: int
    tokens: int
    fertility: float
    """Tokens a word, of the words alone, each with a space before it."""
    whole: float
    """Share of the words that are one token."""
    bytes_a_token: float
    """Of the whole texts, in UTF-8."""
    coverage: float
    """Share of the characters, spaces aside, that no unknown token stands for."""
    given_back: float
    """Share of the texts that decoding gives back as they were."""
    used: float
    """Share of the vocabulary that occurs in these texts."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A word and the pieces that two tokenizers cut it into."""

    word: str
    own: tuple[str, ...]
    default: tuple[str, ...]


def measure(tokenizer: Any, texts: Sequence[str]) -> Cutting:
    """Return how a tokenizer of the `tokenizers` library cuts texts; they are read in lines, as nothing crosses one."""
    unknown = _unknown(tokenizer)
    lines = [line for text in texts for whole in text.splitlines() for line in _portions(whole) if line.strip()]
    encodings = tokenizer.encode_batch(lines, add_special_tokens=False)
    seen: Counter[int] = Counter()
    lost = characters = size = back = 0
    for line, encoding in zip(lines, encodings, strict=True):
        seen.update(encoding.ids)
        characters += len(line) - sum(c.isspace() for c in line)
        size += len(line.encode(errors="replace"))
        lost += sum(
            end - start for id, (start, end) in zip(encoding.ids, encoding.offsets, strict=True) if id == unknown
        )
        back += tokenizer.decode(encoding.ids, skip_special_tokens=False) == line
    counts = Counter(word for line in lines for word in _WORD.findall(line))
    pieces = tokenizer.encode_batch([f" {word}" for word in counts], add_special_tokens=False)
    lengths = {word: len(encoding.ids) for word, encoding in zip(counts, pieces, strict=True)}
    words, tokens = sum(counts.values()), sum(seen.values())
    return Cutting(
        vocabulary=tokenizer.get_vocab_size(),
        words=words,
        tokens=tokens,
        fertility=sum(count * lengths[word] for word, count in counts.items()) / max(1, words),
        whole=sum(count for word, count in counts.items() if lengths[word] == 1) / max(1, words),
        bytes_a_token=size / max(1, tokens),
        coverage=1 - lost / max(1, characters),
        given_back=back / max(1, len(lines)),
        used=len(seen) / max(1, tokenizer.get_vocab_size()),
    )


def shown_words(own: Any, default: Any, texts: Sequence[str], asked: Sequence[str] = ()) -> tuple[Shown, ...]:
    """Return words as both tokenizers cut them: those asked for, then frequent, differing and long ones of texts."""
    counts = Counter(word for text in texts for word in _WORD.findall(text))
    ranked = sorted((word for word in counts if len(word) > 3), key=lambda word: (-counts[word], word))
    long = sorted(ranked[: len(ranked) // 2 + 1], key=lambda word: (-len(word), word))
    differing = sorted(
        ranked[:2000], key=lambda word: (len(_pieces(own, word)) - len(_pieces(default, word)), -counts[word], word)
    )
    chosen = [*asked, *ranked[:_SHOWN], *differing[:_SHOWN], *long[:_SHOWN]]
    return tuple(Shown(word, _pieces(own, word), _pieces(default, word)) for word in dict.fromkeys(chosen))


def _pieces(tokenizer: Any, word: str) -> tuple[str, ...]:
    """Return the stretches of a word that its tokens stand for; tokens of one character's bytes share it."""
    text = f" {word}"
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return tuple(text[start:end].strip() or "·" for start, end in encoding.offsets)


def _portions(line: str) -> list[str]:
    return [line[start : start + _LINE] for start in range(0, len(line), _LINE)]


def _unknown(tokenizer: Any) -> int | None:
    name = getattr(tokenizer.model, "unk_token", None)
    found: int | None = tokenizer.token_to_id(name) if isinstance(name, str) else None
    return found
