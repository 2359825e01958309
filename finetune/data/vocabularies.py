"""The vocabularies of tokenizers, learnt with the `tokenizers` library: the same texts give the same one, always.

Of themselves, its trainers for WordPiece and Unigram break ties by the order of a hash map, another in each process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from finetune.language.tokens import SPECIAL

Kind = Literal["bpe", "wordpiece", "unigram"]
_OBJECTIVE: Mapping[Kind, Literal["next", "masked", "spans"]] = {
    "bpe": "next", "wordpiece": "masked", "unigram": "spans"
}  # fmt: skip
"""What each kind is mostly used for, which decides its special tokens; `train lm` adds those that it lacks."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a tokenizer is learnt."""

    kind: Kind = "bpe"
    vocab_size: int = 8192
    """Tokens, special ones and single bytes among them."""
    cased: bool = True
    """Whether capitals are kept; only WordPiece can do without."""
    min_frequency: int = 2
    """How often a pair or a word must occur to become a token. BPE and WordPiece."""
    held_out: float = 0.05
    """Share of the texts that it is measured on and not learnt from."""


def special_tokens(kind: Kind) -> Mapping[str, str]:
    """Return the special tokens of a kind, by the name that transformers gives them."""
    return SPECIAL[_OBJECTIVE[kind]]


def trained(texts: Sequence[str], options: Options) -> Any:
    """Return a tokenizer of the `tokenizers` library learnt from texts."""
    learnt = {"bpe": _bpe, "wordpiece": _wordpiece, "unigram": _unigram}[options.kind](texts, options)
    learnt.add_special_tokens(list(special_tokens(options.kind).values()))
    return learnt


def _shared(options: Options) -> dict[str, Any]:
    special = list(special_tokens(options.kind).values())
    return {"vocab_size": options.vocab_size, "special_tokens": special, "show_progress": False}


def _bpe(texts: Sequence[str], options: Options) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        min_frequency=options.min_frequency, initial_alphabet=sorted(alphabet), **_shared(options)
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _wordpiece(texts: Sequence[str], options: Options) -> Any:
    """Learn with the characters inside words given in their order, as if they were special, and then unmark them."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    def blank(vocabulary: Mapping[str, int]) -> Any:
        tokenizer: Any = Tokenizer(models.WordPiece(dict(vocabulary), unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not options.cased)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        return tokenizer

    shared = _shared(options)
    learning = blank({"[UNK]": 0})
    characters = _characters(texts, learning.normalizer)
    shared["special_tokens"] += [f"##{character}" for character in characters]
    trainer = trainers.WordPieceTrainer(min_frequency=options.min_frequency, initial_alphabet=characters, **shared)
    learning.train_from_iterator(texts, trainer)
    return blank(learning.get_vocab(with_added_tokens=False))


_MOST_CHARACTERS = 1000
"""Characters of an alphabet, the most frequent; the others are unknown, as to BERT."""


def _characters(texts: Iterable[str], normalizer: Any) -> list[str]:
    from collections import Counter

    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(normalizer.normalize_str(text))
    known = sorted((c for c in counts if not c.isspace()), key=lambda c: (-counts[c], c))
    return sorted(known[:_MOST_CHARACTERS])


def _unigram(texts: Sequence[str], options: Options) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    def blank(model: Any) -> Any:
        tokenizer: Any = Tokenizer(model)
        # Cut at spaces only: the trainer takes for a piece what different things follow, and after a word that is cut
        # off before its comma there follows nothing ("that" became "tha" and "t").
        spaces = pre_tokenizers.Split(Regex(r"\s"), "merged_with_next")
        as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([spaces, as_bytes])
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learning = blank(models.Unigram())
    learning.train_from_iterator(
        texts, trainers.UnigramTrainer(initial_alphabet=alphabet, unk_token=None, **_shared(options))
    )
    return blank(
        models.Unigram(
            _in_order(json.loads(learning.to_str())["model"]["vocab"], set(special_tokens("unigram").values())),
            None,
            False,
        )
    )


_STEP = 0.0001
"""Between the scores that the trainer gives to single characters which it keeps although they hardly occur."""


def _in_order(vocabulary: Sequence[tuple[str, float]], special: set[str]) -> list[tuple[str, float]]:
    """Return pieces and their scores, best first.

    The single characters at the end, whose scores go down step by step in the order of a hash map, all get the first.
    """
    scores = {piece: round(score, 6) for piece, score in vocabulary if piece not in special}
    singles = {score for piece, score in scores.items() if len(piece) == 1}
    stepped = {score for score in singles for other in singles if abs(abs(score - other) - _STEP) < _STEP / 50}
    best = max(stepped, default=0.0)
    kept = {piece: best if len(piece) == 1 and score in stepped else score for piece, score in scores.items()}
    first = [(piece, 0.0) for piece, _ in vocabulary if piece in special]
    return first + sorted(kept.items(), key=lambda item: (-item[1], item[0]))
