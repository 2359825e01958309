"""What the routes answer, in the forms that the schemas promise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.service import schemas
from rag.service.service import Service
from tests.serving import FirstSentence, Formed, client_of, closest, events_of, service_of
from tests.worlds import WordEncoder, collection_of

TEA = "At what heat is green tea steeped?"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    home = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    return service_of(home)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    with client_of(service) as client:
        yield client


def test_a_search_finds_passages_with_their_places(client: TestClient) -> None:
    response = client.post("/v1/search", json={"query": "green tea", "k": 2, "explain": True})
    assert response.status_code == 200
    found = schemas.SearchResponse.model_validate(response.json())
    assert [passage.rank for passage in found.passages] == [1, 2]
    best = found.passages[0]
    assert (best.name, best.line, best.source.endswith("deep/tea.md")) == ("Tea", 1, True)
    assert best.explain is not None
    assert "tea" in best.explain.matched
    assert (found.collection, found.generation) == ("world", 1)


def test_an_answer_has_its_footnotes(client: TestClient) -> None:
    answer = schemas.AskResponse.model_validate(client.post("/v1/ask", json={"question": TEA}).json())
    assert answer.answered
    assert answer.answer == "Green tea is steeped at eighty degrees."
    citation = answer.citations[0]
    assert (citation.number, citation.name, citation.quote) == (1, "Tea", answer.answer)
    assert set(answer.timings_ms) == {"queue", "load", "embed", "retrieve", "open", "generate", "cite"}
    path = f"/v1/collections/world/documents/{citation.document}"
    text = client.get(path, params={"start": citation.start, "end": citation.end}).json()["text"]
    assert text == citation.quote


def test_a_refusal_brings_the_nearest_evidence(client: TestClient) -> None:
    answer = schemas.AskResponse.model_validate(client.post("/v1/ask", json={"question": "Who won?"}).json())
    assert (answer.outcome, answer.answered) == ("none", False)
    assert (answer.answer, answer.citations, answer.passages != []) == ("", [], True)
    assert all(passage.excerpt for passage in answer.passages)


def test_what_comes_closest_is_shown_and_counted_as_unsure(tmp_path: Path) -> None:
    collection_of(tmp_path).close()
    generator = Formed(closest)
    with client_of(service_of(tmp_path, generator)) as client:
        body = client.post("/v1/ask", json={"question": TEA, "form": "list"}).json()
        answer = schemas.AskResponse.model_validate(body)
        assert (answer.outcome, answer.answered, answer.confidence) == ("unsure", False, 0.3)
        assert answer.answer == answer.citations[0].quote == "Black tea takes boiling water."
        assert answer.notes == ["Read by its words only."]
        assert generator.asked == [(TEA, "list")]
        best = answer.passages[0]
        assert best.text[slice(*best.excerpt[0])] == "Green tea is steeped at eighty degrees."
        assert "Green" in {best.text[start:end] for start, end in best.matches}
        assert client.post("/v1/verify", json=body).json()["holds"] is True
        chat = client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": TEA}]}).json()
        said = chat["choices"][0]["message"]["content"]
        assert said.startswith("*Not sure. The closest is:*\n\nBlack tea takes boiling water.[^1]\n\nRead by its ")
        assert chat["footnote"]["outcome"] == "unsure"
        assert 'footnote_answers_total{outcome="unsure"} 2.0' in client.get("/metrics").text


def test_a_question_may_refer_to_those_before_it(tmp_path: Path) -> None:
    collection_of(tmp_path).close()
    generator = Formed(lambda read: closest(read, 0.9))
    follow = "And is black tea?"
    with client_of(service_of(tmp_path, generator)) as client:
        answer = client.post("/v1/ask", json={"question": follow, "history": [TEA]}).json()
        assert (answer["outcome"], answer["question"]) == ("answer", follow)
        assert answer["read_as"] not in ("", follow)
        assert generator.asked == [(answer["read_as"], None)]
        events = events_of(client.post("/v1/ask", json={"question": follow, "history": [TEA], "stream": True}).text)
        assert events[-1][1]["read_as"] == answer["read_as"]
        messages = [
            {"role": "user", "content": "x" * 9000},
            {"role": "user", "content": TEA},
            {"role": "assistant", "content": "At eighty degrees."},
            {"role": "user", "content": [{"type": "text", "text": follow}]},
        ]
        chat = client.post("/v1/chat/completions", json={"messages": messages}).json()
        assert chat["footnote"]["read_as"] == answer["read_as"]
        assert f"*read as: {answer['read_as']}*" in chat["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "wrong",
    [{"history": ["?!"]}, {"history": [""]}, {"history": ["tea"] * 21}, {"history": "tea"}, {"form": "poem"}],
)
def test_a_history_or_form_that_is_none_is_refused(client: TestClient, wrong: dict[str, Any]) -> None:
    for stream in (False, True):
        refused = client.post("/v1/ask", json={"question": TEA, "stream": stream, **wrong})
        assert refused.status_code == 422, refused.text


def test_a_stream_tells_passages_before_the_answer(client: TestClient) -> None:
    response = client.post("/v1/ask", json={"question": TEA, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    assert [name for name, _ in events] == ["stage", "passages", "stage", "answer"]
    schemas.Passages.model_validate(events[1][1])
    assert schemas.AskResponse.model_validate(events[-1][1]).answer == "Green tea is steeped at eighty degrees."


def test_footnotes_are_checked_and_files_outside_the_collection_are_not_read(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": TEA}).json()
    assert client.post("/v1/verify", json=answer).json()["holds"] is True
    spying = {**answer["citations"][0], "source": "/etc/passwd", "quote": "root"}
    said = client.post("/v1/verify", json={**answer, "citations": [spying]}).json()
    assert said["holds"] is False
    assert said["citations"][0]["reason"] == "it is not in collection 'world'"


def test_what_is_shown_of_an_answer_is_checked(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": TEA}).json()
    checked = schemas.VerifyResponse.model_validate(client.post("/v1/verify", json=answer).json())
    assert checked.proves == ("the quotations hold; that they answer the question is not checked")
    changes: list[dict[str, Any]] = [{"answer": "1066"}, {"citations": []}, {"answered": False}, {"copied": []}]
    for change in changes:
        assert client.post("/v1/verify", json={**answer, **change}).json()["holds"] is False, change
    places: list[dict[str, Any]] = [{"page": 999}, {"line": 77}, {"title": "The Times"}]
    spans: list[dict[str, Any]] = [{"quote": ""}, {"marks": [[0, 999]]}, {"claims": [[0, 999]]}]
    for change in places + spans:
        shown = [{**answer["citations"][0], **change}]
        assert client.post("/v1/verify", json={**answer, "citations": shown}).json()["holds"] is False, change
    del answer["copied"]
    assert "an earlier version made it" in client.post("/v1/verify", json=answer).json()["reason"]


def test_an_answer_with_a_key_twice_is_refused(client: TestClient) -> None:
    """Of two values only the last was checked, while a program may show the first."""
    body = '{"answer": "1066", "answered": false, "citations": [], "answer": ""}'
    refused = client.post("/v1/verify", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert "The key 'answer' is in one object twice" in refused.json()["error"]["message"]


def test_collections_are_listed_made_and_deleted(client: TestClient) -> None:
    assert client.post("/v1/collections", json={"name": "new"}).status_code == 201
    again = client.post("/v1/collections", json={"name": "new"})
    assert (again.status_code, again.json()["error"]["type"]) == (409, "exists")
    listed = schemas.Collections.model_validate(client.get("/v1/collections").json())
    assert [each.name for each in listed.collections] == ["new", "world"]
    assert listed.default == "world"
    status = schemas.CollectionStatus.model_validate(client.get("/v1/collections/new").json())
    assert (status.documents, status.dim) == (0, 32)
    assert client.delete("/v1/collections/new").json() == {"deleted": "new"}
    gone = client.get("/v1/collections/new")
    assert gone.status_code == 404
    assert gone.json()["error"]["message"].startswith("There is no collection 'new' in ")
    assert gone.json()["error"]["hint"] == "Run: footnote index PATH --collection new"


def test_an_upload_is_indexed_under_its_name_and_kept_under_another(client: TestClient, service: Service) -> None:
    client.post("/v1/collections", json={"name": "papers"})
    path = "/v1/collections/papers/documents"
    text = b"# Kiln\n\nThe kiln was fired at twelve hundred degrees.\n"
    made = client.post(path, params={"name": "../../kiln report.md"}, content=text)
    assert made.status_code == 201, made.text
    uploaded = schemas.Uploaded.model_validate(made.json())
    assert (uploaded.document.name, uploaded.document.origin) == ("../../kiln report.md", "upload")
    kept = Path(uploaded.document.source)
    assert kept.parent == service.settings.home_path / "uploads" / "papers"
    assert (kept.read_bytes(), kept.suffix) == (text, ".md")

    asked = {"question": "How hot was the kiln fired?", "collection": "papers"}
    answer = client.post("/v1/ask", json=asked).json()
    assert answer["answer"] == "The kiln was fired at twelve hundred degrees."
    assert answer["citations"][0]["name"] == "../../kiln report.md"
    assert client.post("/v1/verify", json=answer).json()["holds"] is True

    same = client.post(path, params={"name": "../../kiln report.md"}, content=text)
    assert (same.status_code, same.json()["report"]["unchanged"]) == (200, 1)
    newer = client.post(path, params={"name": "../../kiln report.md"}, content=text + b"\nIt cooled for a week.\n")
    assert (newer.status_code, newer.json()["replaced"]) == (200, True)
    listed = schemas.Documents.model_validate(client.get(path).json())
    assert (listed.total, kept.exists()) == (1, False)
    removed = client.delete(f"{path}/{listed.documents[0].id}")
    assert removed.status_code == 200
    assert list(kept.parent.iterdir()) == []
    assert client.delete("/v1/collections/papers").status_code == 200
    assert not kept.parent.exists()


def test_an_upload_without_text_is_refused_and_leaves_nothing(client: TestClient, service: Service) -> None:
    client.post("/v1/collections", json={"name": "bad"})
    path = "/v1/collections/bad/documents"
    refused = client.post(path, params={"name": "picture.txt"}, content=b"\x7fELF\x00\x00\x01" * 50)
    assert (refused.status_code, refused.json()["error"]["type"]) == (422, "unreadable")
    assert "'picture.txt' could not be read: " in refused.json()["error"]["message"]
    assert list((service.settings.home_path / "uploads" / "bad").iterdir()) == []
    assert client.get("/v1/collections/bad").json()["skipped"] == []
    assert client.post("/v1/collections/none/documents?name=a.txt", content=b"a").status_code == 404
    client.delete("/v1/collections/bad")


def test_an_upload_tells_its_progress(client: TestClient) -> None:
    client.post("/v1/collections", json={"name": "told"})
    response = client.post(
        "/v1/collections/told/documents", params={"name": "a.txt", "stream": "true"}, content=b"Salt is white.\n"
    )
    events = events_of(response.text)
    assert {name for name, _ in events[:-1]} == {"progress"}
    assert events[-1][0] == "document"
    assert schemas.Uploaded.model_validate(events[-1][1]).document.name == "a.txt"
    client.delete("/v1/collections/told")


def test_indexing_again_takes_what_has_changed_and_keeps_what_is_gone(tmp_path: Path) -> None:
    collection_of(tmp_path).close()
    files = tmp_path / "files"
    with client_of(service_of(tmp_path)) as client:
        (files / "bees.txt").write_text("Bees sleep in winter.\n")
        (files / "pump.md").unlink()
        report = schemas.IndexReport.model_validate(client.post("/v1/collections/world/index", json={}).json())
        assert (report.changed, report.removed, report.unchanged) == (1, 0, 2)
        assert [skip.reason for skip in report.skipped] == ["the file is gone; its stored text is kept"]
        events = events_of(client.post("/v1/collections/world/index", json={"stream": True, "rebuild": True}).text)
        assert events[-1][0] == "report"
        assert client.get("/v1/collections/world").json()["documents"] == 4
        assert (
            client.post("/v1/ask", json={"question": "When do bees sleep?"}).json()["answer"] == "Bees sleep in winter."
        )


def test_another_process_indexing_is_seen_at_once(tmp_path: Path) -> None:
    """A new generation, a rebuild and a collection made anew are each seen by the next question."""
    collection = collection_of(tmp_path)
    with client_of(service_of(tmp_path)) as client:

        def answer() -> str:
            return str(client.post("/v1/ask", json={"question": "What about salt?"}).json()["answer"])

        assert answer() == ""
        (tmp_path / "files" / "salt.txt").write_text("All salt is white.\n")
        collection.sync([tmp_path / "files"])
        assert answer() == "All salt is white."
        collection.sync([], rebuild=True)
        assert answer() == "All salt is white."
        collection.delete()
        assert client.post("/v1/ask", json={"question": "What about salt?"}).status_code == 404
        collection_of(tmp_path, {"salt.txt": "No salt is black.\n"})
        assert answer() == "No salt is black."


def test_documents_are_listed_in_parts_and_found_by_name(client: TestClient) -> None:
    path = "/v1/collections/world/documents"
    part = schemas.Documents.model_validate(client.get(path, params={"offset": 1, "limit": 2}).json())
    assert ([each.name for each in part.documents], part.total) == (["Tea", "The library"], 4)
    found = client.get(path, params={"find": "PUMP"}).json()
    assert [each["name"] for each in found["documents"]] == ["The pump"]
    text = schemas.DocumentText.model_validate(client.get(f"{path}/{found['documents'][0]['id']}").json())
    assert text.text.startswith("# The pump\n\nThe pump in hall two")
    assert (text.sections[0].kind, text.headings) == ("heading", ["The pump"])
    assert client.get(f"{path}/{'0' * 24}").status_code == 404


def test_chat_clients_see_collections_as_models(client: TestClient) -> None:
    models = schemas.Models.model_validate(client.get("/v1/models").json())
    assert {"footnote", "footnote/world"} <= {model.id for model in models.data}
    assert client.get("/v1/models/footnote/world").json()["id"] == "footnote/world"
    assert client.get("/v1/models/gpt").status_code == 404
    conversation = [{"role": "system", "content": "Rhyme."}, {"role": "user", "content": TEA}]
    asked = {"model": "footnote/world", "messages": conversation, "temperature": 0.3}
    done = schemas.ChatResponse.model_validate(client.post("/v1/chat/completions", json=asked).json())
    sentence = "Green tea is steeped at eighty degrees."
    assert done.choices[0].message.content.split("\n\n") == [
        f"{sentence}[^1]",
        "*confidence 90%, by the first-sentence generator*",
        f"[^1]: Tea, line 3: “{sentence}”",
    ]
    assert done.choices[0].message.citations[0].quote == sentence
    assert done.footnote.answered
    streamed = events_of(client.post("/v1/chat/completions", json={**asked, "stream": True}).text)
    assert streamed[-1] == ("", None)
    chunks = [schemas.ChatChunk.model_validate(data) for _, data in streamed[:-1]]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == done.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_embeddings_are_those_of_the_encoder(client: TestClient) -> None:
    import base64

    import numpy as np

    texts = ["green tea", "the pump"]
    made = schemas.EmbeddingsResponse.model_validate(
        client.post("/v1/embeddings", json={"input": texts, "model": "footnote"}).json()
    )
    expected = WordEncoder().embed_passages(texts)
    assert np.allclose([each.embedding for each in made.data], expected)
    assert made.usage.prompt_tokens == 4
    packed = client.post("/v1/embeddings", json={"input": "green tea", "encoding_format": "base64"}).json()
    assert np.allclose(np.frombuffer(base64.b64decode(packed["data"][0]["embedding"]), "<f4"), expected[0])
    refused = client.post("/v1/embeddings", json={"input": "a", "dimensions": 7})
    assert "makes 32 dimensions, not 7" in refused.json()["error"]["message"]


def test_the_service_says_how_it_is(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json() == {"state": "ready", "queue": 0}
    client.post("/v1/ask", json={"question": TEA})
    metrics = client.get("/metrics").text
    assert 'footnote_answers_total{outcome="answer"}' in metrics
    assert 'route="/v1/ask",status="200"' in metrics
    assert 'footnote_batch_size_count{stage="answer"}' in metrics


def test_the_page_about_the_interface_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "POST /v1/ask" in page.text
    assert "<script" not in page.text
    linked, named = set(re.findall(r'href="#([^"]+)"', page.text)), set(re.findall(r' id="([^"]+)"', page.text))
    assert linked <= named
    assert {"Stage", "AskResponse", "post-v1-ask"} <= linked
    assert "http" not in page.text.replace("http-equiv", "").split("<body>")[0]
    described = client.get("/openapi.json").json()
    references = set(re.findall(r'"#/components/schemas/(\w+)"', client.get("/openapi.json").text))
    assert references <= set(described["components"]["schemas"])
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            assert route.get("description"), (method, path)
            assert any(status.startswith("2") for status in route["responses"]), (method, path)


def test_a_generator_that_batches_reads_many_clients_together(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    collection_of(tmp_path).close()
    generator = FirstSentence(seconds=0.05)
    with client_of(service_of(tmp_path, generator)) as client:
        client.post("/v1/ask", json={"question": TEA})
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: client.post("/v1/ask", json={"question": TEA}).json(), range(24)))
    assert {answer["answer"] for answer in answers} == {"Green tea is steeped at eighty degrees."}
    assert max(generator.sizes) > 3
    assert sum(generator.sizes) == 25
