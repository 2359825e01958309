"""Who comes in, and how: every route with every verb, hosts, origins, sizes, and what must never reach the disk."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.service.app import create_app, guarded, routes_of
from rag.service.guard import Guard
from rag.service.openai.errors import speaks_openai
from rag.service.service import Service
from rag.service.settings import Settings
from tests.serving import LOCAL, client_of, service_of
from tests.worlds import collection_of

TOKEN = "correct-horse-battery-staple"
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    home = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    return service_of(home, max_body=20_000, max_upload=30_000)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    with client_of(service) as client:
        yield client


@pytest.fixture(scope="module")
def locked(service: Service) -> Iterator[TestClient]:
    home = service.settings.home
    with client_of(service_of(Path(home), host="192.0.2.7", token=TOKEN), "http://192.0.2.7:8000") as client:
        yield client


def kind(response: Any) -> tuple[int, str]:
    """Return status and type of an error, once it has the one shape."""
    error = response.json()["error"]
    ours = {"type", "message", "hint"}
    assert set(error) == (ours | {"param", "code"} if speaks_openai(response.url.path) else ours)
    assert response.headers["content-type"] == "application/json"
    return response.status_code, error["type"]


def paths_of(service: Service) -> list[str]:
    """Return the path of every route that the application has, OpenAPI's own and hidden ones included."""
    from fastapi.routing import iter_route_contexts

    app = routes_of(service)
    paths = {str(context.path) for context in iter_route_contexts(app.routes)}
    assert {"/", "/page/{name}", "/docs", "/openapi.json", "/metrics", "/healthz", "/v1/ask"} <= paths
    return sorted(paths)


def test_without_the_token_nothing_answers_on_any_route_with_any_verb(service: Service, locked: TestClient) -> None:
    for path in [*paths_of(service), "/nothing", "/v1/ask?token=" + TOKEN]:
        for verb in VERBS:
            response = locked.request(verb, path.replace("{", "").replace("}", ""))
            assert response.status_code == 401, (verb, path)
            assert {"Basic", "Bearer"} <= set(response.headers["www-authenticate"].replace(",", " ").split())


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Token {TOKEN}", TOKEN, "Basic ###",
     f"Bearer {TOKEN.upper()}", "Bearer \u00fc"],
)  # fmt: skip
def test_a_wrong_token_is_refused_before_anything_else_is_looked_at(locked: TestClient, header: str) -> None:
    headers = {b"Authorization": header.encode("latin-1"), b"Host": b"evil.example", b"Content-Length": b"-4"}
    assert locked.get("/healthz", headers=headers).status_code == 401


def test_the_token_opens_as_bearer_and_as_a_browser_s_password(locked: TestClient) -> None:
    assert locked.get("/healthz", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert locked.get("/healthz", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert locked.get("/healthz", auth=("anyone", TOKEN)).status_code == 200
    assert locked.get("/healthz", auth=("anyone", "wrong-wrong-wrong")).status_code == 401


def test_an_address_that_others_reach_needs_a_token() -> None:
    from indexer.errors import UsageError

    with pytest.raises(UsageError, match=r"Others can reach 0\.0\.0\.0, and no token is set"):
        create_app(Settings(host="0.0.0.0"))


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "", "127.0.0.2", "[::2]"]
)
def test_another_host_is_refused(client: TestClient, host: str) -> None:
    assert kind(client.get("/healthz", headers={"Host": host})) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000", "[::1]"])
def test_this_machine_s_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:9999"},
     {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": ""}],
)  # fmt: skip
def test_a_foreign_page_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        assert kind(client.request(verb, "/v1/ask", headers=headers)) == (403, "foreign_origin")
    assert client.get("/healthz", headers=headers).status_code == 200
    assert "access-control-allow-origin" not in client.get("/healthz", headers=headers).headers


def test_our_own_page_may_ask(client: TestClient) -> None:
    headers = {"Origin": LOCAL, "Sec-Fetch-Site": "same-origin"}
    assert client.post("/v1/ask", json={"question": "Who won?"}, headers=headers).status_code == 200


def test_every_response_tells_browsers_to_be_careful(client: TestClient) -> None:
    for path in ("/healthz", "/nothing", "/docs", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"]


# Bodies


def test_bodies_are_limited_by_what_they_say_and_by_what_they_are(client: TestClient) -> None:
    assert kind(client.post("/v1/ask", content=b"x" * 20_001)) == (413, "too_large")
    assert kind(client.post("/v1/ask", content=iter([b"x" * 15_000] * 2))) == (413, "too_large")
    upload = "/v1/collections/world/documents?name=a.txt"
    assert kind(client.post(upload, content=b"x" * 30_001)) == (413, "too_large")
    assert kind(client.post(upload, content=iter([b"x" * 20_000] * 2))) == (413, "too_large")


def test_an_upload_that_is_cut_off_leaves_nothing(client: TestClient, service: Service) -> None:
    client.post("/v1/collections/world/documents?name=a.txt", content=iter([b"x" * 20_000] * 2))
    folder = service.settings.home_path / "uploads" / "world"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "", "1" * 30, "1, 1"])
def test_a_length_that_is_no_number_is_refused(client: TestClient, length: str) -> None:
    headers = {"Content-Length": length, "Content-Type": "application/json"}
    assert client.post("/v1/ask", content=b"{}", headers=headers).status_code in (400, 413)


def test_compressed_bodies_are_not_unpacked(client: TestClient) -> None:
    import gzip

    bomb = gzip.compress(b"0" * 10_000_000)
    refused = client.post("/v1/ask", content=bomb, headers={"Content-Encoding": "gzip"})
    assert kind(refused) == (415, "unsupported")


def test_too_many_headers_and_too_long_queries_are_refused(client: TestClient) -> None:
    assert kind(client.get("/healthz", headers={f"x-{n}": "1" for n in range(120)})) == (431, "too_large")
    assert kind(client.get("/healthz?" + "a" * 9000)) == (431, "too_large")


@pytest.mark.parametrize(
    "body",
    ["", "[", "[" * 15_000, '{"question": NaN}', '{"question": "a", "k": 1e400}', '{"question": "a", "k": NaN}',
     '{"question": "a", "k": ' + "9" * 5000 + "}", '{"question": "a", "max_error": -Infinity}', '{"question": 4}',
     '{"question": "a", "filters": "a=b"}', '{"question": "a", "nonsense": 1}', "null",
     '{"question": "a", "collection": "\\udfff"}', '{"question": "a", "filters": ["no"]}',
     '{"question": "", "question": ""}', '{"question": "a", "k": true, "k": []}', "\x00", '"\ufeff"'],
)  # fmt: skip
def test_bad_json_is_refused_with_the_one_error(client: TestClient, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("/v1/ask", "/v1/search", "/v1/verify", "/v1/collections", "/v1/embeddings", "/v1/chat/completions"):
        response = client.post(path, content=body.encode("utf-8", "surrogatepass"), headers=headers)
        assert kind(response)[0] in (400, 404, 422), (path, response.text)


@pytest.mark.parametrize("question", ["", "   ", "?!", "\U0001f600", "\x00", "\x07\x1b[", "a" * 4001, "a b " * 2000])
def test_a_question_without_words_or_too_long_is_refused_with_the_words_of_the_command_line(
    client: TestClient, question: str
) -> None:
    for path, field in (("/v1/ask", "question"), ("/v1/search", "query")):
        response = client.post(path, json={field: question})
        assert kind(response) == (422, "usage")
        message = response.json()["error"]["message"]
        assert message == "The question holds no word." or message.endswith("at most 4,000 are read.")


def test_half_a_character_is_left_out_of_a_question(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for path, field in (("/v1/ask", "question"), ("/v1/search", "query")):
        response = client.post(path, content=f'{{"{field}": "green \\ud800 tea"}}'.encode(), headers=headers)
        assert response.status_code == 200
        assert response.json()[field].replace("\ud800", "") == "green  tea"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/search", '{"query": "tea", "filters": ["title=\\ud800"]}'),
     ("/v1/ask", '{"question": "tea", "filters": ["\\udfff<1"]}'),
     ("/v1/embeddings", '{"input": ["tea", "\\ud800"]}'), ("/v1/embeddings", '{"input": "\\ud800"}'),
     ("/v1/verify", '{"answer": "", "answered": true, "citations": [{"number": 1, '
                    '"source": "\\ud800", "sha256": "", "start": 0, "end": 1, '
                    '"quote": ""}]}'),
     ("/v1/collections", '{"name": "\\ud800"}'), ("/v1/ask", '{"question": "tea", "collection": "\\ud800"}'),
     ("/v1/embeddings", '{"input": "tea", "model": "footnote/\\ud800"}')],
)  # fmt: skip
def test_half_a_character_is_refused_where_it_would_be_looked_up(client: TestClient, path: str, body: str) -> None:
    response = client.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
    assert kind(response)[0] == (400 if speaks_openai(path) else 422)


@pytest.mark.parametrize(
    "question", ['"tea', "NEAR(tea, 2)", "title:tea", "-tea", "tea*", "^tea", "'; DROP TABLE documents; --"]
)
def test_query_languages_are_ordinary_text(client: TestClient, question: str) -> None:
    for path, field in (("/v1/ask", "question"), ("/v1/search", "query")):
        assert client.post(path, json={field: question}).status_code == 200


HOSTILE = (
    "..", "../x", "%2e%2e", "..%2f..%2fetc", "%2fetc%2fpasswd", "..%5c..", "a%00b", "%00", ".", "world%2f..", "CON",
    "a" * 300, "%ff", "~", "world/", "%0d%0ax: y", "🦊",
)  # fmt: skip


HARMLESS = ("", *(f"/v1/{rest}" for rest in ("collections", "collections/world", "collections/world/documents")),
            "/v1/models", "/v1/models/footnote")  # fmt: skip
"""Where a client's own tidying of dots may lead."""


def snapshot(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if "uploads" not in path.parts)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_ids_never_become_paths(client: TestClient, service: Service, name: str) -> None:
    home = service.settings.home_path
    before = snapshot(home)
    for verb, path in (
        ("GET", f"/v1/collections/{name}"),
        ("DELETE", f"/v1/collections/{name}"),
        ("POST", f"/v1/collections/{name}/documents?name=a.txt"),
        ("GET", f"/v1/collections/{name}/documents"),
        ("GET", f"/v1/collections/world/documents/{name}"),
        ("DELETE", f"/v1/collections/world/documents/{name}"),
        ("GET", f"/page/{name}"),
        ("GET", f"/v1/models/{name}"),
        ("GET", f"/v1/models/footnote/{name}"),
    ):
        if verb == "DELETE" and name in ("..", ".", "../x"):
            continue  # the client itself makes another address of it
        response = client.request(verb, path)
        if response.status_code == 200:
            assert response.url.path.rstrip("/") in HARMLESS, response.url
            continue
        assert kind(response)[0] in (400, 404, 405, 422), (verb, path, response.status_code)
    made = client.post("/v1/collections", json={"name": name})
    if made.status_code == 201:
        client.delete(f"/v1/collections/{name}")
    assert snapshot(home) == before


def test_an_upload_s_name_is_text_and_nothing_else(client: TestClient, service: Service) -> None:
    home = service.settings.home_path
    for label in ("../../../etc/cron.d/x", "/etc/passwd", "a\\b.txt", "x" * 150 + ".txt", "<script>.txt", ".env"):
        made = client.post("/v1/collections/world/documents", params={"name": label}, content=b"Some words here.\n")
        assert made.status_code in (200, 201), made.text
        document = made.json()["document"]
        assert document["name"] == label
        assert Path(document["source"]).parent == home / "uploads" / "world"
        client.delete(f"/v1/collections/world/documents/{document['id']}")
    for label in ("", "   ", "a\x00b", "a\nb", "x" * 201):
        refused = client.post("/v1/collections/world/documents", params={"name": label}, content=b"Some words.\n")
        assert kind(refused)[0] == 422


def test_the_framework_s_own_refusals_have_the_one_shape(client: TestClient) -> None:
    assert kind(client.get("/nothing")) == (404, "not_found")
    assert kind(client.put("/v1/ask")) == (405, "method_not_allowed")
    assert client.put("/v1/ask").headers["allow"] == "POST"


# Too much at once, and too slow


def scope_of(path: str = "/v1/ask", **more: Any) -> dict[str, Any]:
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    return {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, **more}


async def answered(app: Any, scope: dict[str, Any], receive: Any) -> tuple[int, Any]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))


def test_a_body_that_never_comes_is_given_up() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    async def trickle() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    guard = Guard(echo, Settings(body_seconds=0.1))
    status, body = asyncio.run(answered(guard, scope_of(), trickle))
    assert (status, body["error"]["type"], guard.inside) == (408, "timeout", 0)


def test_work_that_takes_too_long_is_given_up() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(10)

    status, body = asyncio.run(answered(Guard(slow, Settings(request_seconds=0.05)), scope_of(), None))
    assert (status, body["error"]["type"]) == (504, "timeout")


def test_more_than_so_many_requests_at_once_are_told_to_come_again() -> None:
    async def run() -> list[int]:
        release = asyncio.Event()

        async def wait(scope: Any, receive: Any, send: Any) -> None:
            await release.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

        guard = Guard(wait, Settings(max_requests=2))
        waiting = [asyncio.ensure_future(answered(guard, scope_of(), None)) for _ in range(2)]
        await asyncio.sleep(0)
        refused = await answered(guard, scope_of(), None)
        release.set()
        return [refused[0], *[(await each)[0] for each in waiting]]

    assert asyncio.run(run()) == [429, 200, 200]


def test_web_sockets_are_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(guarded, Settings())({"type": "websocket"}, None, send))  # type: ignore[arg-type]
    assert sent[0]["code"] == 1008


# The log


def test_the_log_holds_no_question_no_document_no_token_and_no_path(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    collection_of(tmp_path).close()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    caplog.set_level(logging.DEBUG)
    with client_of(service_of(tmp_path, token=TOKEN), headers=headers) as client:
        client.post("/v1/ask", json={"question": "Where do bees dance?"})
        client.post("/v1/ask", json={"question": "Where do bees dance?", "stream": True})
        client.post("/v1/ask", json={"question": "Where do bees dance?", "collection": "none"})
        client.get("/v1/collections/world/documents?find=beekeeping")
        client.post("/v1/collections/world/documents?name=secret-name.txt", content=b"\x00\x01\x02")
        client.get("/secret-path", headers={"Authorization": "Bearer guessing-guessing"})
    own = [record for record in caplog.records if not record.name.startswith("httpx")]  # the client logs, too
    written = "\n".join(f"{record.getMessage()} {record.__dict__.get('fields')}" for record in own)
    assert "'route': '/v1/ask', 'status': 200" in written
    for secret in ("bees", "dance", "beekeeping", "secret", "guessing", TOKEN, str(tmp_path), os.path.expanduser("~")):  # noqa: PTH111
        assert secret not in written, secret


def test_questions_are_logged_when_that_is_asked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    collection_of(tmp_path).close()
    caplog.set_level(logging.INFO)
    with client_of(service_of(tmp_path, log_questions=True)) as client:
        client.post("/v1/ask", json={"question": "Where do bees dance?"})
    fields = [record.__dict__["fields"] for record in caplog.records if "fields" in record.__dict__]
    assert fields[-1]["question"] == "Where do bees dance?"
