"""Hostile texts in every field, name and address of the interface: an answer or a refusal in the one form, no 5xx.

Afterwards nothing lies where it should not, and the log tells none of what was asked.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from starlette.testclient import TestClient

from rag.service.app import guarded
from rag.service.observing import JsonLines
from rag.service.service import Service
from tests.serving import LOCAL, service_of
from tests.worlds import collection_of

TEXTS = (
    "\ud800", "a\ud800b", "\x00", "a\x00b", "\u202e\u200b", '"', "NEAR(a b)", "col:x", "-x", "*", "^", "%", "_",
    "'; DROP TABLE documents;--", "\U0010ffff", "\ufffe", "[MASK] [SEP] </s>", "\t\n tea \x1b[31m", "tea OR " * 500,
    "../../etc/passwd", "..\\..\\x", "/etc/passwd", "%2e%2e%2f", "x" * 4001, "🙂" * 1500, "{{7*7}}", "\r\nX-Y: z",
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"a":' * 50_000, b'{"query": NaN}',
    b'{"query": "tea", "question": "tea", "k": 1e400}', b'{"question": "tea", "k": ' + b"9" * 5000 + b"}",
    b'{"query": "tea", "query": "bees"}', b'{"question": "tea", "max_error": NaN}', b'\xef\xbb\xbf{"query": "tea"}',
    b'{"question": "tea", "max_error": 1e-320}', b'{"query": {"a": 1}, "question": ["tea"]}',
)  # fmt: skip
FILES = (b"", b"\x00" * 100, b"%PDF-1.4 broken", b"PK\x03\x04broken", b"\xff\xfe\x00\xd8", b"a \xe2\x80\xaeb \x1b[31m")
ROUTES = ("/v1/search", "/v1/ask", "/v1/verify", "/v1/collections", "/v1/embeddings", "/v1/chat/completions",
          "/v1/collections/world/index")  # fmt: skip


@pytest.fixture
def service(tmp_path: Path) -> Service:
    home = tmp_path / "home"
    home.mkdir()
    collection_of(home).close()
    return service_of(home, log_questions=False)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(guarded(service), LOCAL, raise_server_exceptions=False) as client:
        yield client


def refused_or_answered(response: httpx2.Response) -> bool:
    """Return whether a response is one that may come of anything that is sent."""
    if response.status_code >= 400:
        return response.status_code < 500 and set(response.json()) == {"error"}
    return True


def with_text(text: str) -> Iterator[tuple[str, object]]:
    """Yield a request for every field that takes text: route and body."""
    yield "/v1/search", {"query": text, "explain": True}
    yield "/v1/search", {"query": text, "mode": "words"}
    for condition in (text, f"source={text}", f"k{text}=1", f"m<{text}"):
        yield "/v1/search", {"query": "tea", "filters": [condition]}
    yield "/v1/search", {"query": "tea", "collection": text}
    yield "/v1/ask", {"question": text}
    yield "/v1/ask", {"question": text, "stream": True}
    yield "/v1/embeddings", {"input": [text]}
    yield "/v1/embeddings", {"input": "tea", "model": text}
    for model in ("footnote", text, f"footnote/{text}"):
        yield "/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": text}]}
    yield "/v1/chat/completions", {"messages": [{"role": "user", "content": text}], "stream": True}
    cited = {"number": 1, "source": text, "sha256": text[:64], "start": 0, "end": 1, "quote": text}
    answer = {"answer": text, "answered": True, "citations": [cited], "copied": [], "generator": text, "outcome": text}
    yield "/v1/verify", answer
    yield "/v1/verify", answer | {"collection": text}


def test_no_text_in_any_field_breaks_the_service(client: TestClient) -> None:
    for text in TEXTS:
        for route, body in with_text(text):
            response = client.post(route, content=json.dumps(body), headers={"Content-Type": "application/json"})
            assert refused_or_answered(response), (route, ascii(body)[:200], response.text[:200])


def test_no_text_in_any_address_breaks_the_service_or_reaches_a_file(client: TestClient, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for text in TEXTS:
        named = quote(text.encode("utf-8", "surrogatepass"), safe="")[:3000]
        for route in ("/v1/collections/{}", "/v1/collections/{}/documents", "/v1/collections/world/documents/{}",
                      "/v1/collections/{}/documents/x/pages/1", "/v1/collections/world/documents/{}/pages/1",
                      "/v1/collections/world/documents/x/pages/{}/boxes",
                      "/v1/models/{}", "/page/{}", "/v1/collections/{}/index", "/{}"):  # fmt: skip
            for method in ("GET", "DELETE", "POST", "PUT", "OPTIONS", "TRACE"):
                response = client.request(method, route.format(named))
                assert response.status_code >= 400, (method, route, ascii(text))
                assert refused_or_answered(response), (method, route, ascii(text), response.text[:200])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_no_body_breaks_the_service(client: TestClient) -> None:
    for body in BODIES:
        for route in ROUTES:
            for kind in ("application/json", "text/plain", "multipart/form-data", "application/json; charset=utf-7"):
                response = client.post(route, content=body, headers={"Content-Type": kind})
                assert refused_or_answered(response), (route, body[:40], response.text[:200])


def test_uploads_whatever_they_hold_and_are_called_lie_in_their_folder(client: TestClient, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    names = ("a.pdf", "../../b.docx", "c/d\\e.html", ".env", "f." + "x" * 150, "g.txt")
    for data, name in [*zip(FILES, names, strict=True), *((b"Plain words.", name) for name in names)]:
        response = client.post("/v1/collections/world/documents", params={"name": name}, content=data)
        assert refused_or_answered(response), (name, data[:20], response.text[:200])
    kept = tmp_path / "home" / "uploads" / "world"
    changed = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    for path in changed:
        assert path.parent == kept or tmp_path / "home" / "collections" in path.parents, path
        if path.parent == kept:
            assert path.name.partition(".")[0].replace("-", "").isalnum()


def test_the_log_tells_nothing_of_what_was_asked(
    client: TestClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = "Zanzibarian"
    client.post("/v1/ask", json={"question": f"What is {secret} tea?"})
    client.post("/v1/ask", json={"question": f"What is {secret} tea?", "stream": True})
    client.post("/v1/search", json={"query": secret, "filters": [secret]})
    client.post("/v1/search", json={"query": "tea", "collection": secret})
    client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": secret}], "model": secret})
    client.post("/v1/collections/world/documents", params={"name": f"{secret}.txt"}, content=f"{secret}.".encode())
    client.get(f"/v1/models/{secret}", params={"q": secret})
    client.get(f"/{secret}", headers={"Host": secret, "Authorization": f"Bearer {secret}"})
    lines = "\n".join(JsonLines().format(record) for record in caplog.records if record.name.startswith("rag"))
    assert "/v1/ask" in lines
    assert secret not in lines
    assert str(service.settings.home_path) not in lines
