"""The tools for agents, used as an agent uses them: by the SDK's own client, in this process and over real pipes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import TextContent

import cli
from indexer.collection import Collection
from indexer.sync import Given
from rag.adapters.mcp_resources import LISTED_AT_ONCE, resource_uri
from rag.adapters.mcp_server import READ_AT_ONCE, Library, mcp_server
from rag.generator import Draft
from tests.conftest import new_home
from tests.serving import Formed, closest
from tests.worlds import WordEncoder, article, write_folder

LIBRARY = "At what hour does the library open?"
LONG = article("Harbours", 600)


@pytest.fixture(scope="module")
def library_home(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Path:
    folder = tmp_path_factory.mktemp("agents")
    home = new_home(folder / "home", converted)
    Collection("default", home).sync([write_folder(folder / "files")])
    Collection("private", home).sync([write_folder(folder / "secret", {"diary.md": "# Diary\n\nThe key is 4711.\n"})])
    Collection("long", home).sync([write_folder(folder / "long", {"harbours.md": LONG})])
    return home


def use(library: Library, asked: Callable[[Client], Coroutine[Any, Any, Any]]) -> Any:
    """Return what a client in this process makes of the server over `library`, within ten minutes."""

    async def main() -> Any:
        async with asyncio.timeout(600), Client(mcp_server(library)) as client:
            return await asked(client)

    return asyncio.run(main())


def call(library: Library, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return what a tool returns as data, which is also what it says in text."""

    async def asked(client: Client) -> Any:
        return await client.call_tool(tool, arguments)

    result = use(library, asked)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return dict(result.structured_content)


def refusal(library: Library, tool: str, **arguments: Any) -> str:
    """Return what an agent is told when a tool cannot do what it is asked."""

    async def asked(client: Client) -> Any:
        return await client.call_tool(tool, arguments)

    result = use(library, asked)
    assert result.is_error
    return str(result.content[0].text)


def test_an_agent_finds_four_tools_that_only_read(library_home: Path) -> None:
    async def asked(client: Client) -> Any:
        return await client.list_tools(), client.instructions

    listed, instructions = use(Library(library_home), asked)
    assert [tool.name for tool in listed.tools] == ["search", "ask", "read_source", "list_collections"]
    for tool in listed.tools:
        assert tool.annotations.read_only_hint
        assert not tool.annotations.open_world_hint
        assert tool.description
        assert tool.output_schema
        for name, about in tool.input_schema.get("properties", {}).items():
            assert about.get("description"), f"{tool.name} does not describe {name}"
    assert "never an instruction" in instructions


def test_a_search_returns_passages_with_their_places(library_home: Path) -> None:
    found = call(Library(library_home), "search", query="library opening", k=2)
    assert found["collection"] == "default"
    assert len(found["passages"]) == 2
    best = found["passages"][0]
    assert Path(best["source"]).name == "library.md"
    assert best["title"] == "The library"
    assert "opens at nine" in best["text"]
    only = call(Library(library_home), "search", query="tea", mode="words", filters=["source=*bees*"])
    assert only["passages"] == []


def test_an_answer_has_footnotes_that_can_be_read_in_their_place(library_home: Path) -> None:
    library = Library(library_home)
    answer = call(library, "ask", question=LIBRARY, max_error=0.5)
    assert answer["answered"]
    assert "nine" in answer["answer"]
    assert answer["nearest"] == []
    first, *beside = answer["footnotes"]
    assert "nine" in first["quote"]
    for note in (first, *beside):  # what stands beside the answer can be read in its place too
        length = note["end"] - note["start"]
        place = {"source": note["source"], "start": note["start"], "characters": length}
        around = call(Library(library_home), "read_source", **place)
        assert around["text"] == note["quote"]
        assert around["headings"] == ["The library"] or note is not first


def test_what_the_documents_do_not_say_is_refused_with_what_came_nearest(library_home: Path) -> None:
    answer = call(Library(library_home), "ask", question="Who won the football cup in 1954?")
    assert not answer["answered"]
    assert answer["outcome"] in ("unsure", "none")
    assert (answer["answer"] == "") == (answer["footnotes"] == []) == (answer["outcome"] == "none")
    assert answer["nearest"]


@pytest.mark.parametrize(("outcome", "confidence"), [("answer", 0.9), ("unsure", 0.3), ("none", 0.0)])
def test_each_outcome_is_what_it_is(library_home: Path, outcome: str, confidence: float) -> None:
    drafted = Formed(lambda read: closest(read, confidence) if confidence else Draft((), 0.1))
    answer = call(Library(library_home, generator=drafted), "ask", question=LIBRARY)
    assert (answer["outcome"], answer["answered"]) == (outcome, outcome == "answer")
    assert answer["answer"] == ("" if outcome == "none" else answer["footnotes"][0]["quote"])
    assert (answer["nearest"] == []) == (outcome == "answer")
    assert answer["notes"] == ([] if outcome == "none" else ["Read by its words only."])


def test_a_question_may_refer_to_those_before_it(library_home: Path) -> None:
    answer = call(Library(library_home), "ask", question="And what else is there?", history=[LIBRARY], form="fact")
    assert answer["read_as"] not in ("", "And what else is there?")
    assert call(Library(library_home), "ask", question=LIBRARY)["read_as"] == ""


def test_a_long_document_is_read_piece_by_piece(library_home: Path) -> None:
    stored = Collection("long", library_home).document("harbours.md").text
    assert len(stored) > READ_AT_ONCE

    async def asked(client: Client) -> str:
        text, place = "", 0
        while True:
            arguments = {"source": "harbours.md", "collection": "long", "start": place, "characters": READ_AT_ONCE}
            part = (await client.call_tool("read_source", arguments)).structured_content
            assert part["characters"] == len(stored)
            text, place = text + part["text"], part["end"]
            if place == part["characters"]:
                return str(text)

    assert use(Library(library_home), asked) == stored
    beyond = call(Library(library_home), "read_source", source="harbours.md", collection="long", start=10**9)
    assert (beyond["text"], beyond["start"], beyond["end"]) == ("", len(stored), len(stored))


def test_collections_are_listed_and_chosen(library_home: Path) -> None:
    listed = call(Library(library_home), "list_collections")["collections"]
    assert listed == [
        {"name": "default", "documents": 4, "usual": True, "problem": ""},
        {"name": "long", "documents": 1, "usual": False, "problem": ""},
        {"name": "private", "documents": 1, "usual": False, "problem": ""},
    ]
    found = call(Library(library_home), "search", query="key", collection="private")
    assert found["passages"][0]["title"] == "Diary"


def test_what_is_not_shown_to_an_agent_cannot_be_reached(library_home: Path) -> None:
    library = Library(library_home, ["default"])
    assert [each["name"] for each in call(library, "list_collections")["collections"]] == ["default"]
    for tool, arguments in (
        ("search", {"query": "key"}),
        ("ask", {"question": "key"}),
        ("read_source", {"source": "d"}),
    ):
        told = refusal(Library(library_home, ["default"]), tool, **arguments, collection="private")
        assert told == "There is no collection 'private'. There are: default"
    usual = call(Library(library_home, ["private", "default"]), "search", query="key")
    assert usual["collection"] == "private"


@pytest.mark.parametrize("name", ["../collections/private", "private/../default", "/etc", "", ".", "x" * 5000, "a\0b"])
def test_a_collection_is_only_what_is_listed(library_home: Path, name: str) -> None:
    library = Library(library_home, ["default"])
    if name:
        assert "There is no collection" in refusal(library, "search", query="tea", collection=name)
    else:
        assert call(library, "search", query="tea", collection=name)["collection"] == "default"


@pytest.mark.parametrize("source", ["/etc/passwd", "../../etc/passwd", "CURRENT", "truth.db", "a\0b", "%", "_.md"])
def test_only_what_was_indexed_can_be_read(library_home: Path, source: str) -> None:
    assert "is not in collection 'default'" in refusal(Library(library_home), "read_source", source=source)


def test_a_source_to_read_is_named(library_home: Path) -> None:
    assert "source is empty" in refusal(Library(library_home), "read_source", source="")


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search", {"query": " "}, "The question holds no word"),
        ("search", {"query": "x" * 4001}, "4,000"),
        (
            "search",
            {"query": "tea", "k": 0},
            "k must be at least 1, not 0. search takes: query, k, mode, filters, collection.",
        ),
        ("search", {"query": "tea", "filters": ["nonsense"]}, "nonsense"),
        (
            "search",
            {"query": "tea", "mode": "magic"},
            "mode must be 'hybrid', 'dense', 'words' or 'feedback', not \"magic\".",
        ),
        ("ask", {"question": "tea?", "max_error": 1}, "max_error must be less than 1, not 1."),
        ("ask", {}, "The argument question is missing. ask takes: question, k, "),
        ("ask", {"question": "tea?", "colection": "x"}, "ask has no argument 'colection'. Did you mean: collection?"),
        ("ask", {"question": "tea?", "k": "many"}, 'k must be a whole number, not "many".'),
        ("asks", {"question": "tea?"}, "There is no tool 'asks'. Did you mean: ask?"),
        ("search", {"query": "tea", "collection": "nope"}, "There is no collection 'nope'"),
        ("read_source", {"source": "tea.md", "characters": READ_AT_ONCE + 1}, "at most 20,000, not 20001."),
        ("read_source", {"source": "tea.md", "start": -1}, "start must be at least 0, not -1."),
    ],
)
def test_what_cannot_be_asked_is_told_in_words(
    library_home: Path, tool: str, arguments: dict[str, Any], said: str
) -> None:
    told = refusal(Library(library_home), tool, **arguments)
    assert said in told
    assert "Error executing" not in told
    assert "pydantic" not in told


def test_no_text_whatever_breaks_a_tool(library_home: Path) -> None:
    """Whatever is asked comes to an answer or to a refusal in words, never to what an agent is told of a crash."""

    async def asked(client: Client) -> None:
        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.text(max_size=60), st.text(max_size=20))
        def try_them(text: str, other: str) -> None:
            for tool, arguments in (
                ("search", {"query": text, "mode": "words", "filters": [other]}),
                ("search", {"query": text, "mode": "words", "collection": other}),
                ("read_source", {"source": text}),
            ):
                made.append((tool, arguments))

        try_them()
        for tool, arguments in made:
            result = await client.call_tool(tool, arguments)
            (said,) = result.content
            assert isinstance(said, TextContent)
            assert said.text != f"Error executing tool {tool}", arguments  # all that is said of a crash

    made: list[tuple[str, dict[str, Any]]] = []
    use(Library(library_home), asked)


# Documents as resources


def resources(library: Library) -> list[Any]:
    """Return all resources, asked for as a client asks: as long as there is a cursor."""

    async def asked(client: Client) -> list[Any]:
        found, cursor = [], None
        while True:
            part = await client.list_resources(cursor=cursor)
            assert len(part.resources) <= LISTED_AT_ONCE
            found += part.resources
            cursor = part.next_cursor
            if cursor is None:
                return found

    return list(use(library, asked))


def refused_resource(library: Library, uri: str) -> str:
    async def asked(client: Client) -> str:
        with pytest.raises(MCPError) as told:
            await client.read_resource(uri)
        return told.value.message

    return str(use(library, asked))


def test_every_document_is_a_resource_in_its_order(library_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("many", "more"):
        texts = [Given(f"note-{number:03}", f"The note {number}.", f"Note {number}") for number in range(130)]
        Collection(name, home, WordEncoder()).add(texts)
    listed = resources(Library(home))
    assert [each.name for each in listed] == [f"note-{number:03}" for number in range(130)] * 2
    assert len({str(each.uri) for each in listed}) == 260
    first = listed[0]
    assert (first.title, first.mime_type) == ("Note 0", "text/plain")
    assert first.description == "text, 11 characters, in the collection many"
    assert len(resources(Library(home, ["more"]))) == 130
    assert resources(Library(tmp_path / "nowhere")) == []


def test_a_footnote_names_the_resource_of_its_document(library_home: Path) -> None:
    library = Library(library_home)

    async def asked(client: Client) -> Any:
        answer = (await client.call_tool("ask", {"question": LIBRARY, "max_error": 0.5})).structured_content
        assert answer is not None
        note = answer["footnotes"][0]
        (content,) = (await client.read_resource(note["resource"])).contents
        templates = (await client.list_resource_templates()).resource_templates
        return note, content, templates

    note, content, (template,) = use(library, asked)
    assert content.text[note["start"] : note["end"]] == note["quote"]
    assert content.text == Collection("default", library_home).document("library.md").text
    assert note["resource"] in [str(each.uri) for each in resources(Library(library_home))]
    assert template.uri_template == "footnote://collections/{collection_name}/{document}"
    passage = call(Library(library_home), "search", query="library")["passages"][0]
    assert passage["resource"] == note["resource"]


ROOT = "footnote://collections"
NOBODY = "0" * 24


@pytest.mark.parametrize(
    "uri",
    [
        f"{ROOT}/default/{NOBODY}",
        f"{ROOT}/default/library.md",
        f"{ROOT}/default/..%2F..%2Fetc%2Fpasswd",
        f"{ROOT}/nothing/{NOBODY}",
        f"{ROOT}/..%2Fprivate/{NOBODY}",
        f"{ROOT}/default",
        "file:///etc/passwd",
    ],
)
def test_only_indexed_documents_are_resources(library_home: Path, uri: str) -> None:
    said = refused_resource(Library(library_home), uri)
    assert any(part in said for part in ("There is no document", "There is no collection", "Unknown resource"))


def test_a_hidden_collection_has_no_resources(library_home: Path) -> None:
    secret = resource_uri("private", Collection("private", library_home).resolve("diary.md"))
    assert secret in [str(each.uri) for each in resources(Library(library_home))]
    shown = Library(library_home, ["default"])
    assert secret not in [str(each.uri) for each in resources(shown)]
    assert "There is no collection 'private'" in refused_resource(Library(library_home, ["default"]), secret)


@pytest.mark.parametrize(
    "cursor", ["", "footnote://collections/nothing/x", "default", "footnote://collections/default/" + "0" * 24, "\x00"]
)
def test_a_cursor_that_was_never_given_is_refused(library_home: Path, cursor: str) -> None:
    async def asked(client: Client) -> None:
        with pytest.raises(MCPError, match="cursor"):
            await client.list_resources(cursor=cursor)

    use(Library(library_home), asked)


# Over real pipes


def parameters(home: Path, *more: str) -> StdioServerParameters:
    environment = {**os.environ, "FOOTNOTE_HOME": str(home)}
    return StdioServerParameters(command=sys.executable, args=[cli.__file__, "mcp", *more], env=environment)


def test_the_command_serves_the_sdk_client_over_pipes(library_home: Path) -> None:
    async def main() -> None:
        async with asyncio.timeout(600), Client(parameters(library_home, "--collection", "default")) as client:
            assert len((await client.list_tools()).tools) == 4
            asked = [client.call_tool("ask", {"question": LIBRARY, "max_error": 0.5}) for _ in range(3)]
            for result in await asyncio.gather(*asked):
                assert result.structured_content is not None
                assert "nine" in result.structured_content["answer"]
            listed = await client.call_tool("list_collections", {})
            assert listed.structured_content is not None
            assert [each["name"] for each in listed.structured_content["collections"]] == ["default"]

    asyncio.run(main())


def started(home: Path) -> subprocess.Popen[bytes]:
    """Start the server, and return when it has answered a first message."""
    pipes = subprocess.PIPE
    server = subprocess.Popen([sys.executable, cli.__file__, "mcp", "--home", str(home)], stdin=pipes, stdout=pipes,
                              stderr=pipes)  # fmt: skip
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(hello).encode() + b"\n")
    server.stdin.flush()
    assert json.loads(server.stdout.readline())["result"]["serverInfo"]["name"] == "footnote"
    return server


def test_it_ends_when_its_client_has_gone(library_home: Path) -> None:
    server = started(library_home)
    out, err = server.communicate(timeout=120)  # closes its standard input
    assert (server.returncode, out, err) == (0, b"", b"")


def test_it_stops_when_it_is_told_to(library_home: Path) -> None:
    with started(library_home) as server:
        server.send_signal(signal.SIGTERM)
        assert server.wait(120) == 143


def test_it_outlives_what_is_no_message(library_home: Path) -> None:
    with started(library_home) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for line in (b"\n", b"nonsense\n", b'{"jsonrpc": "2.0"}\n', b"\xff\xfe\n", b"[" * 5000 + b"\n"):
            server.stdin.write(line)
        server.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        server.stdin.write(b'{"jsonrpc": "2.0", "id": 7, "method": "tools/list"}\n')
        server.stdin.flush()
        for line in server.stdout:
            if (answer := json.loads(line)).get("id") == 7:
                assert len(answer["result"]["tools"]) == 4
                break
        server.stdin.close()
        assert server.wait(120) == 0


def test_without_the_package_the_command_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    monkeypatch.delitem(sys.modules, "rag.adapters.mcp_server", raising=False)
    done = CliRunner().invoke(cli.footnote, ["mcp"])
    assert done.exit_code == 2
    assert "Serving agents needs the package mcp" in done.stderr
    assert "pip install mcp" in done.stderr
