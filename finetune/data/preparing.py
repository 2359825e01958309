"""From documents to a data set to learn from: collected, cleaned, filtered, freed of near-duplicates, documented.

    OUT/  texts.jsonl  README.md  report.json  changes.diff  dropped.tsv

Two passes, so that a corpus may be larger than memory: the first reads and repairs each document and counts words and
lines over all of them, the second uses the counts. Nothing is overwritten: OUT is built beside its place and renamed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO

from finetune.data.boilerplate import RepeatedLines, unframed, without_navigation
from finetune.data.collecting import (
    Input,
    check_lines,
    inputs_of,
    is_lines,
    records_of_collection,
    records_of_files,
    records_of_lines,
)
from finetune.data.differing import Diff
from finetune.data.duplicates import NearDuplicates
from finetune.data.language import UNKNOWN, Languages
from finetune.data.markup import CHARACTERS, MARKUP
from finetune.data.masks import MASKS
from finetune.data.quality import Bounds, fault
from finetune.data.records import TEXTS, Changes, Part, Record, Step
from finetune.data.report import Dropped, Report, write_report
from finetune.data.spelling import Speller, Words
from finetune.resources import require_free
from indexer import storage
from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.types import Progress, Skip, silent

_FIRST_PASS = "collected.jsonl"
SAMPLE = 100
"""Files, and lines of each file of texts, that a dry run looks at."""


@dataclass(frozen=True, slots=True)
class Options:
    """How documents are cleaned."""

    include: tuple[str, ...] = ()
    """Only files that match, as in `.gitignore`."""
    exclude: tuple[str, ...] = ()
    markup: bool = True
    """Whether remnants of markup and special characters are taken out."""
    boilerplate: float = 0.1
    """Share of the documents that a line must stand in to be taken out everywhere; 0: none is."""
    masks: tuple[str, ...] = ()
    """What is masked: "mail", "phone", "key"."""
    spelling: bool = False
    """Whether rare misspellings become words that the documents have often."""
    languages: tuple[str, ...] = ()
    """Codes (ISO 639-1) of the languages that are kept; (): all."""
    quality: Bounds | None = field(default_factory=Bounds)
    """What a text must keep within; None: everything is kept."""
    near: float = 0.8
    """Similarity (Jaccard, of runs of five words) from which a text is a near-duplicate of an earlier one; 0: off."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came out."""

    folder: Path
    report: Report


def prepare(
    paths: Sequence[Path],
    out: Path,
    options: Options = Options(),
    *,
    collection: Collection | None = None,
    dry_run: bool = False,
    announce: Callable[[str], None] = lambda line: None,
    progress: Progress = silent,
) -> Prepared:
    """Clean the documents of files, folders and a collection, and leave the data set in the new folder `out`.

    With `dry_run` only a sample is looked at and nothing is left. Raises UsageError where there is nothing to read, a
    mask or a language is unknown or `out` holds something; DataFaults with the lines that do not read; StorageError
    where the disk is too full.
    """
    _check(options, out, dry_run)
    started = time.perf_counter()
    skips: list[Skip] = []
    inputs = inputs_of(paths, options.include, options.exclude, skips)
    if not inputs and collection is None:
        told = f" {len(skips)} were skipped, the first: {skips[0].reason}." if skips else ""
        raise UsageError(f"There are no files to read.{told}", "Give files, folders or --collection.")
    check_lines([each for each in inputs if is_lines(each.path)])
    total = sum(each.bytes for each in inputs)
    read = inputs[:: max(1, len(inputs) // SAMPLE)] if dry_run else inputs
    if not dry_run:
        require_free(out, 3 * total)  # the first pass, the texts and the diff
    work = out.with_name(f".{out.name}.part")
    storage.remove_folder(work)
    storage.make_folder(work)
    try:
        made = _Making(work, options, skips, progress)
        made.collect(read, collection, SAMPLE if dry_run else None)
        report = made.finish(total)
        seconds = time.perf_counter() - started
        report = replace(report, seconds=seconds, options=_plain(options))
        if dry_run:
            share = max(1, sum(each.bytes for each in read)) / max(1, total)
            announce(
                f"This is a sample of {len(read):,} of {len(inputs):,} files; all take about {seconds / share:.0f} s."
            )
            return Prepared(out, report)
        write_report(work, report, [str(path) for path in paths], collection.name if collection else "")
        if out.exists():
            out.rmdir()  # empty, as was checked
        storage.rename_folder(work, out)
        return Prepared(out, report)
    finally:
        storage.remove_folder(work)


def _check(options: Options, out: Path, dry_run: bool) -> None:
    if not dry_run and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} holds something already, and nothing is overwritten.", "Choose another --out.")
    for mask in options.masks:
        if mask not in MASKS:
            raise UsageError(f"There is no mask for {mask!r}.", f"There are: {', '.join(MASKS)}.")


def _plain(options: Options) -> dict[str, object]:
    plain: dict[str, object] = json.loads(json.dumps(asdict(options)))
    return plain


class _Making:
    """The two passes over one corpus."""

    def __init__(self, work: Path, options: Options, skips: list[Skip], progress: Progress) -> None:
        self._work, self._options, self._skips, self._progress = work, options, skips, progress
        self._changes, self._words, self._lines = Changes(), Words(), RepeatedLines()
        self._hash = hashlib.sha256()
        self._documents = self._before = 0
        self._languages = Languages() if options.languages else None
        if self._languages is not None and (unknown := set(options.languages) - self._languages.known()):
            known = ", ".join(sorted(self._languages.known()))
            raise UsageError(f"There is no language {min(unknown)!r}.", f"There are: {known}.")
        self._near = NearDuplicates(options.near) if options.near else None

    def collect(self, inputs: Sequence[Input], collection: Collection | None, most: int | None) -> None:
        """Read everything (of a file of texts, and of a collection, `most` at most), repair it, and count."""
        own: list[Step] = [unframed, without_navigation] if self._options.boilerplate else []
        markup = [*MARKUP, *CHARACTERS] if self._options.markup else []
        with (self._work / _FIRST_PASS).open("w", encoding="utf-8") as kept:
            for record in self._records(inputs, collection, most):
                self._documents += 1
                self._before += len(record.text)
                self._changes.count(record.repairs)
                self._hash.update(f"{record.id}\n{record.text}\n".encode(errors="surrogatepass"))
                cleaned = record.changed([*own, *markup], self._changes.noting(record))
                self._lines.count(cleaned)
                if self._options.spelling:
                    self._words.count(cleaned)
                kept.write(_to_line(record, cleaned))

    def _records(self, inputs: Sequence[Input], collection: Collection | None, most: int | None) -> Iterator[Record]:
        texts = [each for each in inputs if is_lines(each.path)]
        for each in texts:
            for number, record in enumerate(records_of_lines(each, self._changes)):
                if number == most:
                    break
                yield record
        yield from records_of_files([each for each in inputs if each not in texts], self._skips, self._progress)
        if collection is not None:
            for number, record in enumerate(records_of_collection(collection)):
                if number == most:
                    break
                yield record

    def finish(self, total: int) -> Report:
        """Clean with what was counted, drop what is not worth learning from, and write what remains."""
        if not self._documents:
            told = f"; the first of {len(self._skips)} skipped: {self._skips[0].reason}" if self._skips else ""
            raise UsageError(f"There is no text in what was given{told}.", "Give text files, folders or --collection.")
        steps = self._steps()
        masks = [MASKS[name] for name in self._options.masks]
        dropped: list[Dropped] = []
        languages: Counter[str] = Counter()
        kept = after = words = 0
        with (self._work / TEXTS).open("w", encoding="utf-8") as texts, Diff(self._work / "changes.diff") as diff:
            for done, (original, record) in enumerate(_lines(self._work / _FIRST_PASS)):
                self._progress("cleaning", done, self._documents)
                note = self._changes.noting(record)
                cleaned = record.changed(steps, note).changed(masks, note, everywhere=True)
                text = cleaned.text.strip()
                diff.add(record.id, original, text)
                why = self._why_not(cleaned, text, languages)
                if why.reason:
                    dropped.append(why)
                    continue
                texts.write(_row(cleaned, text))
                kept, after, words = kept + 1, after + len(text), words + len(text.split())
        self._progress("cleaning", self._documents, self._documents)
        storage.remove_file(self._work / _FIRST_PASS)
        return Report(
            documents=self._documents, kept=kept, characters_before=self._before, characters=after, words=words,
            sha256=self._hash.hexdigest(), changes=self._changes, dropped=tuple(dropped), skipped=tuple(self._skips),
            languages=dict(languages.most_common()), diff_cut=diff.cut,
        )  # fmt: skip

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        if self._options.boilerplate:
            steps.append(self._lines.removing(self._options.boilerplate))
        if self._options.spelling:
            steps.append(Speller(self._words).step)
        return steps

    def _why_not(self, record: Record, text: str, languages: Counter[str]) -> Dropped:
        """Return why a text is dropped; "" as the reason where it is kept."""
        if not text:
            return Dropped(record.id, "empty")
        if self._options.quality and record.format != "code" and (why := fault(text, self._options.quality)):
            return Dropped(record.id, why)
        if self._languages is not None:
            language = self._languages.language(record.prose())
            languages[language] += 1
            if language not in (*self._options.languages, UNKNOWN):
                return Dropped(record.id, f"language {language}")
        twin = self._near.twin(record.id, text) if self._near else None
        if twin is not None:
            return Dropped(record.id, "near-duplicate", twin.id, twin.similarity)
        return Dropped(record.id, "")


def _to_line(original: Record, cleaned: Record) -> str:
    parts = [[part.text, part.code] for part in cleaned.parts]
    row = {**{name: getattr(cleaned, name) for name in ("id", "title", "sha256", "format")}, "parts": parts}
    return json.dumps({**row, "original": original.text}) + "\n"


def _lines(file: Path) -> Iterator[tuple[str, Record]]:
    """Yield the original text and the record of each line that `_to_line` wrote."""
    stream: IO[str]
    with file.open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            parts = tuple(Part(text, code) for text, code in row.pop("parts"))
            yield row.pop("original"), Record(parts=parts, **row)


def _row(record: Record, text: str) -> str:
    metadata = {"format": record.format, **({"sha256": record.sha256} if record.sha256 else {})}
    row = {"id": record.id, "title": record.title, "text": text, "metadata": metadata}
    return json.dumps(row, ensure_ascii=False) + "\n"
