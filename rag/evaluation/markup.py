"""HTML and SVG that cannot be broken by what stands in them: text is escaped unless it was made here.

Documents, questions and answers are data. A plain string becomes text, wherever it is put; only `Html` is taken as it
is, and only this file makes any.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_VOID = frozenset({"meta", "br", "wbr"})
_CONTROL = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of a page, ready to be written into it."""

    source: str


def element(name: str, /, *children: Html | str, **attributes: str | float) -> Html:
    """Return `<name ...>children</name>`.

    An attribute `class_` is written class, `aria_label` aria-label; floats are written with one decimal at most. Names
    are the program's own and never data.
    """
    written = "".join(f' {_attribute(key)}="{_value(value)}"' for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{together(children).source}</{name}>")


def together(children: Iterable[Html | str]) -> Html:
    """Return the children one after another; strings become text."""
    return Html("".join(child.source if isinstance(child, Html) else text(child).source for child in children))


def text(content: str) -> Html:
    """Return text as text: escaped, and with the controls of terminals and of writing direction shown, not obeyed."""
    return Html(html.escape(shown(content)))


def shown(content: str) -> str:
    """Return text in which every character that is not printed is a replacement character; spaces of all sorts stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else _CONTROL for c in content)


def style(css: str) -> Html:
    """Return a style element. `css` is the program's own; raises ValueError where it would end the element early."""
    if "<" in css:
        raise ValueError("a style sheet holds '<'")
    return Html(f"<style>{css}</style>")


def page(*children: Html) -> str:
    """Return a document of HTML."""
    return f"<!doctype html>\n{element('html', *children, lang='en').source}\n"


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[Html | str]], kinds: Sequence[str] = ()
) -> Html:
    """Return a table whose first column names its rows; `kinds` are the classes of the columns, "" for text.

    It scrolls in itself where it is wider than the page, also by the keys.
    """
    kinds = [*kinds, *[""] * (len(columns) - len(kinds))]
    heads = [element("th", name, scope="col", **_class(kind)) for name, kind in zip(columns, kinds, strict=True)]
    body = []
    for first, *others in rows:
        cells = [element("td", cell, **_class(kind)) for cell, kind in zip(others, kinds[1:], strict=True)]
        body.append(element("tr", element("th", first, scope="row"), *cells))
    table = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
    )
    return element("div", table, class_="scroll", role="region", aria_label=caption, tabindex="0")


def _class(kind: str) -> dict[str, str]:
    return {"class_": kind} if kind else {}


def named(name: str, meaning: str = "") -> Html:
    """Return a name that may be broken at its signs, as "answer_recall", and below it what it means."""
    parts = re.split(r"(?<=[_@=])", name)
    broken = together(part for each in parts for part in (each, element("wbr")))
    return together([broken, element("span", meaning, class_="meaning")]) if meaning else broken


def more(summary: str, *content: Html) -> Html:
    """Return content that is folded away under its summary until it is asked for."""
    return element("details", element("summary", summary), *content)


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return html.escape(shown(value))
    return f"{value:.1f}".removesuffix(".0")
