"""Learns a tokenizer from texts: byte-level BPE, WordPiece or Unigram, with a report of how well it cuts.

    OUT/  tokenizer.json  tokenizer_config.json  report.json  README.md

Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019) and Unigram (Kudo 2018), here on bytes as well, give every
text back as it was. WordPiece (Schuster and Nakajima 2012), as BERT has it, forgets capitals unless `cased`, and has no
tokens for characters that it did not see.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finetune.card import Card, Source, write_card
from finetune.data.fertility import Cutting, Shown, measure, shown_words
from finetune.data.vocabularies import Options, special_tokens, trained
from finetune.language.corpus import Corpus, read_corpus, text_files
from indexer import storage
from indexer.errors import UsageError
from indexer.types import Progress, silent

DEFAULTS = Options()
_SAMPLE = 20
"""A dry run learns from one part of so many."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came out."""

    folder: Path
    vocabulary: int
    """Tokens that it has; fewer than were asked for where the texts do not hold so many."""
    cuttings: Mapping[str, Cutting]
    """By the tokenizer's name: how it cuts the held-out texts; "own" and "default"."""
    words: tuple[Shown, ...]
    """Some words and their pieces by both."""
    seconds: float


def learn(
    paths: Sequence[Path],
    out: Path,
    options: Options = DEFAULTS,
    *,
    show: Sequence[str] = (),
    dry_run: bool = False,
    announce: Callable[[str], None] = lambda line: None,
    progress: Progress = silent,
) -> Learnt:
    """Learn a tokenizer from files and folders of texts, and leave it in the new folder `out`.

    `show` are words or texts whose pieces are to be shown. With `dry_run` it learns from a small part, says how long
    the whole takes and leaves nothing. Raises UsageError where there is too little text or `out` holds something.
    """
    if not dry_run and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} holds something already, and nothing is overwritten.", "Choose another --out.")
    if not options.cased and options.kind != "wordpiece":
        raise UsageError(f"{options.kind} keeps capitals: it gives every text back as it was.", "Leave out --uncased.")
    corpus = read_corpus(paths, options.held_out)
    characters = sum(map(len, corpus.learn))
    texts = corpus.learn
    if dry_run:
        texts = tuple(text[: max(1, len(text) // _SAMPLE)] for text in corpus.learn)
    progress("learning", 0, 0)
    started = time.perf_counter()
    tokenizer = trained(texts, options)
    seconds = time.perf_counter() - started
    announce(f"{corpus.documents:,} texts, {characters:,} characters to learn from.")
    if dry_run:
        announce(f"Learning from 1/{_SAMPLE} took {seconds:.1f} s; all take {_SAMPLE * seconds:.0f} s at most.")
    progress("measuring", 0, 0)
    default = _default()
    cuttings = {"own": measure(tokenizer, corpus.held), "default": measure(default, corpus.held)}
    words = shown_words(tokenizer, default, corpus.held, show)
    found = Learnt(out, tokenizer.get_vocab_size(), cuttings, words, seconds)
    if not dry_run:
        _write(tokenizer, found, corpus, paths, options)
    return found


def _default() -> Any:
    """Return the tokenizer of the default encoder."""
    from tokenizers import Tokenizer

    from rag.copying.folder import TOKENIZER, base_encoder

    tokenizer = Tokenizer.from_file(str(base_encoder(None) / TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _write(tokenizer: Any, found: Learnt, corpus: Corpus, paths: Sequence[Path], options: Options) -> None:
    from transformers import PreTrainedTokenizerFast

    work = found.folder.with_name(f".{found.folder.name}.part")
    storage.remove_folder(work)
    storage.make_folder(work)
    wrapper: Any = PreTrainedTokenizerFast
    wrapper(tokenizer_object=tokenizer, **special_tokens(options.kind)).save_pretrained(work)
    told = {
        "vocabulary": found.vocabulary,
        "sha256": corpus.sha256,
        "documents": corpus.documents,
        "measured": {name: asdict(each) for name, each in found.cuttings.items()},
        "words": [asdict(each) for each in found.words],
        "options": asdict(options),
    }
    storage.write_file(work / "report.json", (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())
    card = Card(
        f"A tokenizer: {options.kind}, {found.vocabulary:,} tokens",
        f"Learnt from {corpus.documents:,} texts (SHA-256 over them `{corpus.sha256}`), but for a share of "
        f"{options.held_out:g} that it is measured on.",
        [Source(file) for path in paths for file in text_files(path)][:100],
        asdict(options),
        {
            "How it cuts the held-out texts, beside the default encoder's tokenizer": cutting_table(found.cuttings),
            "Words and their pieces": words_table(found.words),
        },
    )
    write_card(work, card)
    if found.folder.exists():
        found.folder.rmdir()  # empty, as was checked
    storage.rename_folder(work, found.folder)


def cutting_table(cuttings: Mapping[str, Cutting]) -> str:
    """Return how tokenizers cut, as a Markdown table with a column each."""
    rows = (
        ("vocabulary", "vocabulary", ","),
        ("tokens a word (fertility)", "fertility", ".3f"),
        ("words kept whole", "whole", ".1%"),
        ("bytes a token", "bytes_a_token", ".2f"),
        ("characters it has tokens for (coverage)", "coverage", ".3%"),
        ("texts given back as they were", "given_back", ".1%"),
        ("of the vocabulary used", "used", ".1%"),
    )
    lines = [f"| | {' | '.join(cuttings)} |", "|---|" + "---:|" * len(cuttings)]
    for label, name, form in rows:
        values = " | ".join(format(getattr(each, name), form) for each in cuttings.values())
        lines.append(f"| {label} | {values} |")
    return "\n".join(lines)


def words_table(words: Sequence[Shown]) -> str:
    """Return words and their pieces as a Markdown table."""
    rows = "\n".join(f"| {_safe(each.word)} | {_cut(each.own)} | {_cut(each.default)} |" for each in words)
    return f"| | own | default |\n|---|---|---|\n{rows}"


def _cut(pieces: Sequence[str]) -> str:
    return " · ".join(_safe(piece) for piece in pieces)


def _safe(text: str) -> str:
    return "".join(c if c.isprintable() else "⏎" if c == "\n" else "�" for c in text).replace("|", "\\|")
