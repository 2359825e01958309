"""Agents over HTTP: the SDK's own client speaks to the service over a real port, behind its guard."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.serving import FirstSentence, client_of, listening, service_of
from tests.worlds import collection_of

post, get = partial(httpx.post, timeout=120), partial(httpx.get, timeout=120)
TEA = "At what heat is green tea steeped?"
TOKEN = "a-token-that-nobody-guesses"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    collection_of(home, {"moon.md": "# The moon\n\nThe moon was full on Friday.\n"}, name="sky").close()
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with listening(service_of(home)) as (host, port):
        yield f"http://{host}:{port}"


def use(server: Any, asked: Callable[[Client], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        async with asyncio.timeout(300), Client(server) as client:
            return await asked(client)

    return asyncio.run(main())


def test_an_agent_is_served_by_its_address_alone(address: str) -> None:
    async def asked(client: Client) -> Any:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        answers = await asyncio.gather(*[client.call_tool("ask", {"question": TEA}) for _ in range(3)])
        moon = await client.call_tool("search", {"query": "moon", "collection": "sky"})
        listed = await client.list_resources()
        return tools, answers, moon, listed, await client.read_resource(str(listed.resources[0].uri))

    tools, answers, moon, listed, read = use(f"{address}/mcp", asked)
    assert tools == ["search", "ask", "read_source", "list_collections"]
    for answer in answers:
        assert answer.structured_content["answer"] == "Green tea is steeped at eighty degrees."
        assert answer.structured_content["outcome"] == "answer"
    assert moon.structured_content["passages"][0]["title"] == "The moon"
    assert len(listed.resources) == 9  # of both collections
    assert "A hive holds" in read.contents[0].text


def test_what_goes_wrong_is_told_in_the_words_of_the_command_line(address: str) -> None:
    async def asked(client: Client) -> Any:
        return await client.call_tool("ask", {"question": TEA, "collection": "nothing"})

    refused = use(f"{address}/mcp", asked)
    assert refused.is_error
    assert "There is no collection 'nothing'" in refused.content[0].text


def test_questions_of_agents_wait_in_the_same_queue_and_are_counted(home: Path) -> None:
    generator = FirstSentence(seconds=0.05)
    with listening(service_of(home, generator, batch=8)) as (host, port):

        async def asked(client: Client) -> Any:
            return await asyncio.gather(*[client.call_tool("ask", {"question": TEA}) for _ in range(8)])

        assert all(not each.is_error for each in use(f"http://{host}:{port}/mcp", asked))
        assert max(generator.sizes) > 1  # answered together
        assert 'footnote_answers_total{outcome="answer"} 8.0' in get(f"http://{host}:{port}/metrics").text


def test_the_guard_stands_before_it(home: Path) -> None:
    with listening(service_of(home, token=TOKEN)) as (host, port):
        url = f"http://{host}:{port}/mcp"
        assert post(url, json=LIST, headers=HEADERS).status_code == 401
        given = {**HEADERS, "Authorization": f"Bearer {TOKEN}"}
        assert len(post(url, json=LIST, headers=given).json()["result"]["tools"]) == 4
        foreign = post(url, json=LIST, headers={**given, "Origin": "http://evil.example"})
        assert (foreign.status_code, foreign.json()["error"]["type"]) == (403, "foreign_origin")
        assert post(url, json=LIST, headers={**given, "Host": "evil.example"}).status_code == 421
        assert post(url, content=b"x" * 1_000_001, headers=given).status_code == 413
        assert get(url, headers=given).status_code == 405  # nothing is told that was not asked for

        async def main() -> Any:
            async with (
                create_mcp_http_client(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                return await client.list_tools()

        assert len(asyncio.run(main()).tools) == 4


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"{}", b'{"jsonrpc": "2.0"}', b"[" * 5000, b"\xff\xfe"])
def test_what_is_no_message_is_refused_and_outlived(address: str, body: bytes) -> None:
    headers = {**HEADERS, "Content-Type": "application/json"}
    assert 400 <= post(f"{address}/mcp", content=body, headers=headers).status_code < 500
    assert post(f"{address}/mcp", json=LIST, headers=HEADERS).status_code == 200


def test_without_the_package_it_says_what_to_type(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.transport_security", None)
    with client_of(service_of(home)) as client:
        refused = client.post("/mcp", json=LIST, headers=HEADERS)
    assert refused.status_code == 404
    assert refused.json()["error"]["hint"] == 'Run: pip install "footnote[mcp]"'
