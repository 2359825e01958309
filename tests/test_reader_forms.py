"""Pages, captions, settings, LaTeX and notebooks: each thing with what it belongs to, in words that can be read."""

from __future__ import annotations

import json

import pytest

from indexer.readers import read
from indexer.readers.detect import detect
from indexer.readers.frames import table_of
from indexer.readers.tex_text import readable


def lines(name: str, text: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read(name, text.encode()).blocks]


def page(body: str) -> list[tuple[str, str]]:
    return lines("a.html", f"<html><body>{body}</body></html>")


# Pages


def test_a_short_page_keeps_its_tables_lists_and_code() -> None:
    """The extraction of the main text flattened short pages: a row could not be told from the next."""
    body = """<h1>Keys</h1><table><tr><th>Door<th>Hook<tr><td>Shed<td>4<tr><td>Loft<td>7</table>
    <ol><li>Knock.<li>Wait.</ol><pre>press 1\nlisten</pre>"""
    assert page(body) == [
        ("heading", "Keys"), ("table", "Door | Hook\nShed | 4\nLoft | 7"), ("paragraph", "1. Knock.\n2. Wait."),
        ("code", "press 1\nlisten"),
    ]  # fmt: skip


def test_cells_over_several_rows_or_columns_stand_in_each_of_them() -> None:
    body = """<table><tr><th>Boat<th colspan=2>Fee<tr><td rowspan=2>Gull<td>May<td>3<tr><td>June<td>4
    <tr><td colspan=3>Without fuel.<tr><td><td>July<td>5</table>"""
    assert page(body) == [
        ("table", "Boat | Fee | Fee\nGull | May | 3\nGull | June | 4\nWithout fuel.\n | July | 5"),
    ]  # fmt: skip


def test_lists_keep_numbers_and_depth_and_terms_their_definitions() -> None:
    body = "<ol start=3><li>Sow<ul><li>oats<li>rye</ul><li>Wait<li></ol>"
    body += "<dl><dt>Oar<dd>Moves a boat.<dd>Floats.<dt>Why?<dd>So.</dl>"
    assert page(body) == [
        ("paragraph", "3. Sow\n  - oats\n  - rye\n4. Wait"), ("paragraph", "Oar: Moves a boat.\n- Floats.\nWhy? So."),
    ]  # fmt: skip


def test_raised_numbers_are_powers_and_marks_of_notes_are_not_read() -> None:
    body = "<p>10<sup>6</sup> cells, 5 m<sup>3</sup>, "
    body += "40 camels<sup>1</sup> and wells<a href='#n2'><sup>2</sup></a>, the 3<sup>rd</sup>.</p>"
    assert page(body) == [("paragraph", "10^6 cells, 5 m³, 40 camels and wells, the 3rd.")]


def test_no_heading_of_a_long_page_is_lost() -> None:
    sections = "".join(f"<div class=box><h3>Rule {n}</h3><ul><li>short</ul></div>" for n in range(9))
    prose = "<p>" + "A long paragraph, with commas, that looks like the article itself. " * 60 + "</p>"
    found = page(f"<nav>Menu</nav><h1>Rules</h1>{prose}{sections}")
    assert [text for kind, text in found if kind == "heading"] == ["Rules", *(f"Rule {n}" for n in range(9))]
    assert ("paragraph", "Menu") not in found


# Captions


def test_captions_become_running_text() -> None:
    film = """1
00:00:01,000 --> 00:00:03,000
<i>The mill</i> was built

2
00:00:03,200 --> 00:00:05,000
in {\\an8}nineteen ten.

3
00:00:05,100 --> 00:00:06,000
in {\\an8}nineteen ten.

4
00:01:05,000 --> 00:01:07,000
It has 3 &amp; 4 wheels.
"""
    reading = read("mill.srt", film.encode())
    assert [(block.text, block.line) for block in reading.blocks] == [
        ("The mill was built in nineteen ten.", 3), ("It has 3 & 4 wheels.", 15),
    ]  # fmt: skip
    assert detect("mill.txt", film.encode()) == "captions"


def test_web_captions_name_their_speakers_and_leave_notes_out() -> None:
    film = "WEBVTT - Mill\n\nNOTE by Ann\n\n"
    film += "intro\n00:01.000 --> 00:03.000 align:start\n<v Ann>Come <00:02.000><c>in.</c>\n"
    assert lines("a.vtt", film) == [("paragraph", "Ann: Come in.")]


# Settings


YAML = """\
# Settings of the mill
# for the night
mill:
  gate: 3   # was 5
  doors: &d
    north: "shut: yes"
crew:
- name: Ann
  days: [1, 2]
- name: Bo
  shifts:
    - early
notes: >
  One
  two.
script: |
  a
    b
empty:
...
odd line
"""


def test_each_value_of_yaml_stands_with_its_keys() -> None:
    reading = read("mill.yaml", YAML.encode())
    assert reading.format == "yaml"
    assert [(block.kind, block.text, block.line) for block in reading.blocks] == [
        ("paragraph", "Settings of the mill\nfor the night", 1),
        ("row", "mill.gate: 3", 4),
        ("row", "# was 5", 4),
        ("row", "mill.doors.north: shut: yes", 6),
        ("row", "crew.Ann.name: Ann", 8),
        ("row", "crew.Ann.days: 1, 2", 9),
        ("row", "crew.Bo.name: Bo", 10),
        ("row", "crew.Bo.shifts: early", 12),
        ("row", "notes: One two.", 13),
        ("code", "script: a\n  b", 16),
        ("row", "empty:", 19),
        ("row", "odd line", 21),
    ]


def test_aliases_are_not_expanded() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert lines("a.yml", bomb) == [("row", "a: x, x"), ("row", "b: *a, *a"), ("row", "c: *b, *b")]


TOML = """\
[package]
name = "mill"
wheels = [
  "oak",  # old
  "ash",
]
about = \"\"\"
Two
lines\"\"\"
[[gate]]
width = 3  # metres
name = "north"
[[gate]]
width = 4
[tool."a.b"]
on = true
"""


def test_each_value_of_toml_stands_with_its_table() -> None:
    assert lines("mill.toml", TOML) == [
        ("row", "package.name: mill"),
        ("row", "package.wheels: oak, ash"),
        ("code", "package.about: Two\nlines"),
        ("row", "gate.north.width: 3"),
        ("row", "# metres"),
        ("row", "gate.north.name: north"),
        ("row", "gate.2.width: 4"),
        ("row", "tool.a.b.on: true"),
    ]


def test_ini_files_go_on_over_indented_lines() -> None:
    ini = "; the mill\n[gate]\nwidth=3\nmen = Ann\n  Bo\nsecret-no-value\n"
    assert lines("a.ini", ini) == [
        ("paragraph", "the mill"), ("row", "gate.width: 3"), ("row", "gate.men: Ann Bo"), ("row", "secret-no-value"),
    ]  # fmt: skip


# LaTeX


PAPER = r"""\documentclass{article}
\title{On \emph{mills}}
\author{Ann Lee\thanks{Mill Fund} \and Bo D\"ahl}
\date{5 March 2024}
\begin{document}
\maketitle
\section{Flow}\label{sec:flow}
The wheel turned 9.5\,km~\cite{lee}. % not 10
It cost 40\,\% of \$3.

\begin{itemize}
  \item oak
  \item[Ash] light
\end{itemize}
\begin{table}\caption{Wheels}\begin{tabular}{lr}
\toprule
Wheel & Width \\ \midrule
Oak & 3 \\
\end{tabular}\end{table}
\begin{verbatim}
turn(1) % fast
\end{verbatim}
\end{document}
ignored
"""


def test_latex_reads_as_in_print() -> None:
    reading = read("mill.tex", PAPER.encode())
    assert (reading.title, dict(reading.metadata)) == (
        "On mills", {"author": "Ann Lee, Bo Dähl", "date": "2024-03-05"},
    )  # fmt: skip
    assert [(block.kind, block.text, block.line) for block in reading.blocks] == [
        ("row", "author: Ann Lee, Bo Dähl\ndate: 2024-03-05", None),
        ("heading", "Flow", 7),
        ("paragraph", "The wheel turned 9.5 km.\nIt cost 40 % of $3.", 8),
        ("paragraph", "- oak\n- Ash: light", 12),
        ("paragraph", "Wheels", 15),
        ("table", "Wheel | Width\nOak | 3", 15),
        ("code", "turn(1) % fast", 21),
    ]


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"$v = 0.02\,\mathrm{m/s}$", "v = 0.02 m/s"),
        (r"\frac{a}{b} \times 10^{-6}", "a/b × 10^-6"),
        (r"\textbf{a \emph{b}} and \href{http://x.org}{the site}", "a b and the site"),
        (r"``Quoted'' 5--7 caf\'e Stra\ss{}e \&\ Co.", "“Quoted” 5–7 café Straße & Co."),
        (r"\SI{12.5}{km} per \qty{3}{\hour}", "12.5 km per 3 hour"),
        (r"see Table~\ref{tab:one} (\cite{x}).", "see Table one."),
        (r"a\footnote{Really.} b", "a (Really.) b"),
        (r"\unknown{kept} \alone text", "kept text"),
        (r"Stra\ss e, \O re and \ss{}, caf\'e", "Straße, Øre and ß, café"),
        (r"run \verb|make all| at \url{https://x.org/a%20b}.", "run make all at https://x.org/a%20b."),
    ],
)
def test_tex_marks_become_what_they_print(tex: str, expected: str) -> None:
    assert readable(tex) == expected


def test_nested_braces_take_no_long_time() -> None:
    assert readable("\\emph{" * 20_000) is not None
    assert readable("{" * 20_000 + "a") == "a"


# Notebooks


def test_a_printed_frame_is_a_table() -> None:
    assert (
        table_of("       name  size\n0  Oak tree   3.5\n1       Ash  12.0") == "name | size\nOak tree | 3.5\nAsh | 12.0"
    )
    assert table_of("      size\nname      \nOak    3.5\nAsh   12.0\n") == "name | size\nOak | 3.5\nAsh | 12.0"
    assert table_of("  File a.py\n    x = = 1\nError") == ""
    assert table_of("plain text") == ""


def test_a_notebook_shows_its_frames_as_tables_and_no_pictures_names() -> None:
    outputs = [
        {"output_type": "execute_result", "data": {"text/html": "<table><tr><td>a<td>b</table>", "text/plain": "x"}},
        {"output_type": "display_data", "data": {"text/plain": ["<Figure size 640x480 with 1 Axes>"]}},
        {"output_type": "stream", "text": "<b>"},
    ]
    notebook = {
        "nbformat": 4,
        "metadata": {"authors": [{"name": "Ann"}]},
        "cells": [{"cell_type": "code", "source": "f", "outputs": outputs}],
    }
    assert lines("a.ipynb", json.dumps(notebook)) == [
        ("row", "author: Ann"), ("code", "f"), ("table", "a | b"), ("code", "<b>"),
    ]  # fmt: skip


def test_an_xml_document_gives_its_titles_texts_lists_and_tables() -> None:
    manual = """<?xml version="1.0"?>
<!DOCTYPE book [<!ENTITY big "boom">]>
<book xmlns="http://docbook.org/ns/docbook"><info><title>Loom</title><author><personname>Mira Salt</personname></author>
</info><chapter><title>Warp</title><para>Wind the <emphasis>warp</emphasis> first. &big;</para><!-- soon -->
<itemizedlist><listitem><para>Tie it.</para></listitem><listitem><para>Cut it.</para></listitem></itemizedlist>
<table><row><entry>Yarn</entry><entry>Ends</entry></row><row><entry>Wool</entry><entry>240</entry></row></table>
<programlisting>turn 3
stop</programlisting></chapter></book>"""
    assert lines("loom.xml", manual) == [
        ("row", "author: Mira Salt"),
        ("heading", "Loom"),
        ("row", "personname: Mira Salt"),
        ("heading", "Warp"),
        ("paragraph", "Wind the warp first. &big;"),
        ("paragraph", "- Tie it.\n- Cut it."),
        ("table", "Yarn | Ends\nWool | 240"),
        ("code", "turn 3\nstop"),
    ]
    assert read("loom.xml", manual.encode()).title == "Loom"


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (
            '<shop><nut sku="A1"><name>Hex</name><price cur="EUR">3.50</price></nut>'
            "<nut><name>Cap</name><price>4</price></nut></shop>",
            ["sku: A1; name: Hex; price: 3.50; price.cur: EUR", "name: Cap; price: 4"],
        ),
        ("<config><db><host>pump</host><port>5432</port></db></config>", ["db.host: pump; db.port: 5432"]),
        ('<config><server port="8080" id="s1"/><debug/></config>', ["server.port: 8080"]),
        (
            "<rss><item><title>Bridge</title>"
            "<description>&lt;p&gt;It &lt;b&gt;opens&lt;/b&gt;.&lt;/p&gt;</description></item></rss>",
            ["Bridge", "It opens."],
        ),
        ("<a><b>not closed", ["<a><b>not closed"]),
    ],
)
def test_records_settings_and_feeds_in_xml(xml: str, expected: list[str]) -> None:
    assert [text for _, text in lines("a.xml", xml)] == expected


def test_commands_of_a_papers_own_are_printed_and_comments_are_not() -> None:
    r"""`In \port{} it rose` lost its town; a comment block was text, and what a line includes went without a word."""
    body = (
        "\\newcommand{\\port}{Harwich}\\def\\high{4 m}\n\\begin{document}\nIn \\port{} it rose \\high.\n"
        "\\begin{comment}\nhidden\n\\end{comment}\n\nSee \\url{https://x.org/a%20b} and more. % not this\n"
        "\\input{other}\n\\end{document}\n"
    )
    reading = read("a.tex", body.encode())
    assert [(block.text, block.line) for block in reading.blocks] == [
        ("In Harwich it rose 4 m.", 3),
        ("See https://x.org/a%20b and more.", 8),
    ]
    assert reading.notes == ("1 comment block left out", "1 included file left out")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("E = mc<sup>2</sup>.", "E = mc^2."),  # was "E = mc."
        ("(a+b)<sup>2</sup> and e<sup>-kt</sup>, 10<sup>n</sup>", "(a+b)^2 and e^-kt, 10^n"),
        ("the berth<sup>3</sup> (see above)<sup>1</sup> at<sup>2</sup> sea", "the berth (see above) at sea"),
        ("the 5<sup>th</sup> and 1<sup>er</sup>", "the 5th and 1er"),
    ],
)
def test_powers_are_told_from_marks_of_notes(html: str, expected: str) -> None:
    assert page(f"<p>{html}</p>") == [("paragraph", expected)]


def test_mappings_in_braces_are_told_with_their_keys() -> None:
    text = "env: {A: 1, B: 'two, three'}\nodd: {a: {b: 1}}\nempty: {}\n"
    assert [said for _, said in lines("a.yaml", text)] == [
        "env.A: 1",
        "env.B: two, three",
        "odd: {a: {b: 1}}",
        "empty: {}",
    ]


def test_notes_terms_and_authors_of_xml_documents() -> None:
    xml = (
        "<book><info><title>Mills</title><author><firstname>Ann</firstname><surname>Lee</surname></author>"
        "<pubdate>2024-03-05</pubdate></info><chapter><title>Wheels</title><para>It turns<footnote><para>Slowly.</para>"
        "</footnote> well.</para><variablelist><varlistentry><term>Hub</term><listitem><para>The middle.</para>"
        "</listitem></varlistentry></variablelist></chapter></book>"
    )
    reading = read("a.xml", xml.encode())
    assert dict(reading.metadata) == {"author": "Ann Lee", "date": "2024-03-05"}
    assert [block.text for block in reading.blocks][-2:] == ["It turns (Slowly.) well.", "Hub: The middle."]


def test_what_a_table_is_called_stands_before_it() -> None:
    """A caption was lost without a word."""
    table = "<table><caption>Fees of <b>2024</b></caption><tr><td>Oar</td><td>3</td></tr></table>"
    assert page(f"<p>Before.</p>{table}") == [
        ("paragraph", "Before."), ("paragraph", "Fees of 2024"), ("table", "Oar | 3"),
    ]  # fmt: skip


def test_a_property_goes_on_behind_a_backslash() -> None:
    assert [text for _, text in lines("a.properties", "a.b=one, \\\n   two, \\\n   three\nc=4\n")] == [
        "a.b: one, two, three", "c: 4",
    ]  # fmt: skip


def test_a_note_inside_a_sentence_stands_in_brackets_and_a_field_of_that_name_does_not() -> None:
    xml = "<text><p>It rose<note>Twice.</note> well.</p><r><name>Oar</name><note>wide</note><price>3</price></r></text>"
    assert [text for _, text in lines("a.xml", xml)] == [
        "It rose (Twice.) well.", "r.name: Oar; r.note: wide; r.price: 3",
    ]  # fmt: skip


def test_pictures_of_a_notebook_are_counted() -> None:
    shown = {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure size 640x480>"}}
    cell = {"cell_type": "code", "source": "plot()", "outputs": [shown, shown]}
    reading = read("a.ipynb", json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode())
    assert [block.text for block in reading.blocks] == ["plot()"]
    assert reading.notes == ("2 pictures not read",)
