"""What a request lacks is told in words: the header, the body, the field."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.serving import client_of, service_of
from tests.worlds import collection_of

HEADER = "Send the header content-type: application/json"
FIELDS = "The fields are described at GET /docs"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home: Path = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    with client_of(service_of(home)) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "kind", "status", "said", "hint"),
    [
        (b'{"question": "tea?"}', None, 415, "The body has no content-type, and is read as JSON.", HEADER),
        (b'{"question": "tea?"}', "text/plain", 415, "The body came as 'text/plain', and is read as JSON.", HEADER),
        (b"question=tea", "application/x-www-form-urlencoded", 415,
         "The body came as 'application/x-www-form-urlencoded', and is read as JSON.", HEADER),
        (b"", None, 422, "The request has no body.", f"Send one JSON object. {HEADER}"),
        (b"", "application/json", 422, "The request has no body.", f"Send one JSON object. {HEADER}"),
        (b'{"question": "tea?",}', "application/json", 422,
         "The body is no JSON: Expecting property name enclosed in double quotes at character 20.",
         "Send one JSON object."),
        (b'"tea?"', "application/json", 422, "The body is no JSON object.", FIELDS),
        (b"[]", "application/json; charset=utf-8", 422, "The body is no JSON object.", FIELDS),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(
    client: TestClient, body: bytes, kind: str | None, status: int, said: str, hint: str
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    refused = client.post("/v1/ask", content=body, headers=headers)
    error = refused.json()["error"]
    assert (refused.status_code, error["message"], error["hint"]) == (status, said, hint)
    assert error["type"] == ("unsupported" if status == 415 else "invalid_request")


def test_any_json_type_is_read(client: TestClient) -> None:
    for kind in ("application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"):
        answered = client.post("/v1/ask", content=b'{"question": "tea?"}', headers={"Content-Type": kind})
        assert answered.status_code == 200, kind


def test_a_type_that_is_no_text_is_shown_without_harm(client: TestClient) -> None:
    refused = client.post("/v1/ask", content=b"{}", headers={b"Content-Type": b"text/\xff<script>" + b"x" * 500})
    assert refused.status_code == 415
    assert len(refused.json()["error"]["message"]) < 160


def test_openai_s_form_tells_the_same_with_the_field(client: TestClient) -> None:
    refused = client.post("/v1/chat/completions", content=b"{}", headers={"Content-Type": "text/plain"})
    assert refused.status_code == 415
    assert refused.json()["error"] == {
        "message": "The body came as 'text/plain', and is read as JSON.", "type": "invalid_request_error",
        "param": None, "code": "unsupported", "hint": HEADER,
    }  # fmt: skip
