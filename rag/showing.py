"""Passages and answers as a person reads them on a terminal. What documents hold is shown, never obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.screen import flowed, near, place, plain, shortened, show_wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from rag.types import Answer, Citation, Passage


def show_passage(console: Console, rank: int, passage: Passage, explain: bool) -> None:
    """Print a passage under its heading and its place; with `explain` how either arm ranked it."""
    head = plain(f"{rank}. ", "bold") + plain(passage.context or passage.name, "bold")
    show_wrapped(console, head + plain(f"  {passage.score:.3f}", "dim"))
    console.print(plain(f"   {place(passage.source, passage.page, passage.line)}", "cyan"), soft_wrap=True)
    for twin in passage.also_in:
        console.print(plain(f"   also in {near(twin)}", "dim"), soft_wrap=True)
    if explain:
        console.print(plain(f"   {_explained(passage)}", "dim"))
    show_wrapped(console, plain(shortened(flowed(passage.text), 400)), 3)
    console.print()


def _explained(passage: Passage) -> str:
    origin = passage.origin
    words = f"words: rank {origin.words_rank}, BM25 {origin.words_score:.2f}" if origin.words_rank else "words: -"
    dense = f"meaning: rank {origin.dense_rank}, cosine {origin.dense_score:.3f}" if origin.dense_rank else "meaning: -"
    matched = f"; matched {', '.join(origin.matched)}" if origin.matched else ""
    return f"{words}; {dense}{matched}"


def show_answer(console: Console, answer: Answer, explain: bool) -> None:
    """Print an answer with its footnotes, or that there is none with the nearest passages."""
    if answer.answered:
        show_wrapped(console, _numbered(answer))
        for start, end in answer.unsupported:
            unsure = plain(f'not borne out by the documents: "{answer.text[start:end].strip()}"', "yellow")
            show_wrapped(console, unsure)
        maker = f"confidence {answer.confidence:.0%}, by the {answer.generator} generator"
        show_wrapped(console, plain(maker, "dim"))
        console.print()
        for citation in answer.citations:
            _show_citation(console, citation)
    else:
        console.print(plain("Not in these documents.", "bold"))
        if answer.meant:
            show_wrapped(console, plain(f"Did you mean: {answer.meant}", "cyan"))
        nearest = f"confidence in the best answer {answer.confidence:.0%}. The nearest passages:"
        show_wrapped(console, plain(nearest, "dim"))
        console.print()
        for rank, passage in enumerate(answer.passages[:3], 1):
            show_passage(console, rank, passage, False)
    if explain:
        for rank, passage in enumerate(answer.passages, 1):
            show_passage(console, rank, passage, True)
        spent = ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in answer.timings_ms.items())
        console.print(plain(spent, "dim"))


def _numbered(answer: Answer) -> Text:
    """Return the answer's text with the numbers of its footnotes behind what they bear out."""
    text = plain(answer.text, "bold")
    for start, end in answer.unsupported:
        text.stylize("yellow", start, end)
    numbers: dict[int, str] = {}
    for citation in answer.citations:
        for _, end in citation.claims:
            numbers[end] = numbers.get(end, " ") + f"[{citation.number}]"
    parts = text.divide(sorted(numbers))
    for part, end in zip(parts, sorted(numbers), strict=False):  # behind the last number may be words without one
        part.append(plain(numbers[end], "not bold cyan"))
    return plain("").join(parts)


def _show_citation(console: Console, citation: Citation) -> None:
    console.print(
        plain(f"[{citation.number}] ", "cyan") + plain(f"{citation.title}, " if citation.title else "", "bold")
        + plain(place(citation.source, citation.page, citation.line), "cyan"),
        soft_wrap=True,
    )  # fmt: skip
    quote = plain(flowed(citation.quote))
    for start, end in citation.marks:
        if end - start < len(citation.quote):
            quote.stylize("bold underline", start, end)
    show_wrapped(console, quote, 4)
    console.print()
