import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from indexer.errors import GeneratorError, UsageError, UserError
from rag.generator import Copied, Draft, Streaming, Written
from rag.writing.drafting import MAX_TEXT
from rag.writing.endpoint import KEY, MAX_BYTES, endpoint_at
from rag.writing.endpoint_generator import EndpointGenerator
from rag.writing.prompting import REFUSAL, prompt_for
from tests.answers import passage
from tests.chat_server import Answering, Request, serving

QUESTION = "When was the archive opened?"
PASSAGES = [passage("Bees dance."), passage("The archive was opened in 1921.", context="The archive")]
OPENED = Written("The archive was opened in 1921.", True, (Copied(1, 0, 31),))


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


def asked(answer: Answering, total_s: float = 20.0) -> Draft:
    with serving(answer) as server:
        return EndpointGenerator(server.address, total_s=total_s).generate(QUESTION, PASSAGES)


def refused(answer: Answering, match: str, total_s: float = 20.0) -> UserError:
    with pytest.raises(GeneratorError, match=match) as caught:
        asked(answer, total_s)
    return caught.value


# Good servers


def test_a_stream_becomes_a_draft() -> None:
    draft = asked(lambda request: request.stream(["The archive was", " opened in 1921 [2]."], log_probability=-0.5))
    assert draft.pieces == (OPENED,)
    assert draft.evidence == {"supported": 1.0, "token_probability": pytest.approx(0.60653, abs=1e-5)}
    assert draft.confidence == pytest.approx(0.60653, abs=1e-5)


def test_a_server_that_does_not_stream_is_understood() -> None:
    assert asked(lambda request: request.say("The archive was opened in 1921 [2].")).pieces == (OPENED,)


def test_without_probabilities_what_is_borne_out_decides_alone() -> None:
    draft = asked(lambda request: request.stream(["The archive was opened in 1921 [2]. It is blue."]))
    assert draft.confidence == pytest.approx(32 / 43)
    assert "token_probability" not in draft.evidence


@pytest.mark.parametrize("odd", [None, "x", float("nan"), True, -float("inf")])
def test_probabilities_that_are_none_are_left_out(odd: object) -> None:
    def answer(request: Request) -> None:
        told = {"content": [{"logprob": odd}, {"logprob": -0.5}]}
        request.json({"choices": [{"message": {"content": "The archive was opened in 1921."}, "logprobs": told}]})

    assert asked(answer).confidence == pytest.approx(0.60653, abs=1e-5)


def test_a_server_that_refuses_to_tell_probabilities_is_asked_again_without() -> None:
    def answer(request: Request) -> None:
        if "logprobs" in request.body:
            request.json({"error": "unknown field logprobs"}, 400)
        else:
            request.say("The archive was opened in 1921 [2].")

    assert asked(answer).pieces == (OPENED,)


def test_what_is_sent_is_the_prompt_and_nothing_else() -> None:
    with serving(lambda request: request.say(REFUSAL)) as server:
        assert EndpointGenerator(server.address).generate(QUESTION, PASSAGES) == Draft((), 0.0)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "parrot",
        "messages": [{"role": "user", "content": prompt_for(QUESTION, PASSAGES).text}],
        "max_tokens": 256,
        "temperature": 0,
        "stream": True,
        "logprobs": True,
    }
    assert "Authorization" not in request.headers


def test_the_key_comes_from_its_variable_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, " sesame\n")
    with serving(lambda request: request.say(REFUSAL)) as server:
        EndpointGenerator(server.address).generate(QUESTION, PASSAGES)
    assert server.requests[0].headers["Authorization"] == "Bearer sesame"


def test_a_key_that_would_forge_headers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "open\r\nX-Evil: 1")
    with serving(lambda request: request.say("x")) as server, pytest.raises(GeneratorError, match=KEY) as caught:
        EndpointGenerator(server.address).generate(QUESTION, PASSAGES)
    assert "Evil" not in str(caught.value)
    assert not server.requests


def test_words_come_as_they_are_written_and_the_draft_at_the_end() -> None:
    free = threading.Event()

    def answer(request: Request) -> None:
        request.stream(["The archive was"], ends=False)
        assert free.wait(10)
        request.event({"choices": [{"delta": {"content": " opened in 1921."}}]})
        request.event({"choices": [], "usage": {"total_tokens": 9}})
        request.handler.wfile.write(b"data: [DONE]\n\n")

    with serving(answer) as server:
        generator = EndpointGenerator(server.address)
        assert isinstance(generator, Streaming)
        words = generator.stream(QUESTION, PASSAGES)
        assert next(words) == "The archive was"
        free.set()
        assert next(words) == " opened in 1921."
        with pytest.raises(StopIteration) as end:
            next(words)
        assert end.value.value.pieces == (OPENED,)


def test_closing_the_stream_closes_the_connection() -> None:
    def answer(request: Request) -> None:
        request.stream(["word"], ends=False)
        while True:
            request.event({"choices": [{"delta": {"content": " word"}}]})
            time.sleep(0.01)

    with serving(answer) as server:
        words = EndpointGenerator(server.address).stream(QUESTION, PASSAGES)
        assert next(words) == "word"
        words.close()
        assert server.gone.wait(10)


def test_no_passages_are_not_asked_about() -> None:
    generator = EndpointGenerator("http://127.0.0.1:9/v1")
    assert generator.generate(QUESTION, []) == Draft((), 0.0)


# Bad servers


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else gets it
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(GeneratorError, match=f"Nothing can be reached at {address}: .*refused") as caught:
            EndpointGenerator(address).generate(QUESTION, PASSAGES)
    assert "llama-server" in caught.value.hint


def test_a_name_that_is_not_known() -> None:
    host = "a" * 70  # longer than a name may be, so that nobody is asked
    with pytest.raises(GeneratorError, match=f"Nothing can be reached at http://{host}:80/v1"):
        EndpointGenerator(f"http://{host}").generate(QUESTION, PASSAGES)


@contextmanager
def listening(backlog: int = 8) -> Iterator[tuple[str, socket.socket]]:
    """A port that takes connections and leaves it to the test what becomes of them."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(backlog)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1", server


def test_a_server_that_says_nothing_is_given_up() -> None:
    with listening() as (address, _), pytest.raises(GeneratorError, match=r"was not done within 0\.3 s") as caught:
        EndpointGenerator(address, total_s=0.3).generate(QUESTION, PASSAGES)
    assert "-k 3" in caught.value.hint


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"]
)
def test_a_server_that_dribbles_is_given_up_though_something_always_comes(start: bytes) -> None:
    with listening() as (address, server):
        stop = threading.Event()

        def dribble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(start)
                while not stop.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=dribble)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(GeneratorError, match=r"was not done within 0\.5 s"):
            EndpointGenerator(address, total_s=0.5).generate(QUESTION, PASSAGES)
        assert time.monotonic() - begun < 5
        stop.set()
        thread.join()


def test_a_slow_stream_is_given_up_in_its_middle() -> None:
    def answer(request: Request) -> None:
        request.stream(["The archive"], ends=False)
        time.sleep(2)

    refused(answer, r"was not done within 0\.5 s", total_s=0.5)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_is_asked_for(status: int) -> None:
    error = refused(lambda request: request.json({"error": {"message": "no"}}, status), "wants a key, or another one")
    assert error.hint == f"Type: export {KEY}=..."


def test_a_model_that_the_server_does_not_have() -> None:
    error = refused(
        lambda request: request.json({"error": {"message": "model parrot not found"}}, 404),
        r"knows no model 'parrot' or is no such endpoint \(404\): 'model parrot not found'",
    )
    assert error.hint.endswith("/v1/models")


def test_a_redirect_is_not_followed() -> None:
    followed = threading.Event()
    with serving(lambda _: followed.set()) as elsewhere:
        target = elsewhere.address.replace("#parrot", "/chat/completions")
        refused(lambda request: request.reply(307, Location=target), "sends on to .* which is not followed")
    assert not followed.is_set()


@pytest.mark.parametrize("status", [204, 429, 500, 503])
def test_a_server_that_fails(status: int) -> None:
    refused(lambda request: request.json({"error": "full\x1b[31m " + "x" * 9999}, status), rf"failed \({status}\)")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"7", b'"choices"', b"{}", b'{"choices": 3}', b'{"choices": [3]}', b"[" * 200_000,
        b'{"choices": [{"message": {"content": 5}}]}', b'{"choices": [{"message": []}]}'[:-2], b"\xff\xfe\x00",
        b'{"choices": [{"message": {"content": "x"}, "logprobs": 4}]}', b"<html>Welcome</html>",
    ],
)  # fmt: skip
def test_a_reply_in_another_form_is_refused(body: bytes) -> None:
    refused(lambda request: request.reply(200, body), "does not reply in the form of chat completions")
    event = b"data: " + body.replace(b"\n", b" ") + b"\n\n"
    refused(
        lambda request: request.reply(200, event, Content_Type="text/event-stream"),
        "does not reply in the form of chat completions",
    )


def test_an_error_in_the_middle_of_a_stream() -> None:
    def answer(request: Request) -> None:
        request.stream(["The"], ends=False)
        request.event({"error": {"message": "out of memory"}})

    refused(answer, "The endpoint failed: .*out of memory")


def test_a_stream_that_breaks_off_is_no_answer() -> None:
    refused(lambda request: request.stream(["The archive was opened"], ends=False), "broke off in the middle")


def test_a_body_that_breaks_off_is_no_answer() -> None:
    refused(lambda request: request.reply(200, b'{"choices"', Content_Length="500"), "broke off|form of chat")


def test_what_is_not_http_is_refused() -> None:
    with listening() as (address, server):

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)
                connection.recv(65536)

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(GeneratorError, match="broke off or does not speak HTTP"):
            EndpointGenerator(address, total_s=5).generate(QUESTION, PASSAGES)
        thread.join()


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_reply_without_end_is_not_read_to_its_end(kind: str) -> None:
    error = refused(lambda request: request.reply(200, b"x" * (MAX_BYTES + 9), Content_Type=kind), "is longer than")
    assert f"{MAX_BYTES:,}" in error.message


def test_an_answer_without_end_is_cut() -> None:
    draft = asked(lambda request: request.stream(["It is blue. " * 10] * 2000))
    assert sum(len(piece.text) for piece in draft.pieces if isinstance(piece, Written)) <= MAX_TEXT


def test_a_hostile_answer_is_only_text() -> None:
    hostile = "The archive was opened in 1921 [2][99]. \x1b]0;owned\x07![x](http://evil/?q) <script>\u202e [1-999]"
    draft = asked(lambda request: request.say(hostile))
    assert draft.pieces[0] == Written(OPENED.text + " ", True, OPENED.evidence)
    rest = draft.pieces[1]
    assert isinstance(rest, Written)
    assert not rest.supported
    assert rest.text.isprintable()


# Addresses


def test_an_address_is_taken_apart() -> None:
    endpoint = endpoint_at("http://127.0.0.1:8080/v1/#llama:8b")
    assert (endpoint.secure, endpoint.host, endpoint.port, endpoint.path) == (False, "127.0.0.1", 8080, "/v1")
    assert (endpoint.model, endpoint.address) == ("llama:8b", "http://127.0.0.1:8080/v1")
    assert endpoint_at("https://models.example.org").address == "https://models.example.org:443/v1"
    assert endpoint_at("http://[::1]:11434/api/chat/completions#m").address == "http://[::1]:11434/api"
    assert EndpointGenerator("http://localhost:1#m").name == "m"
    assert EndpointGenerator("http://localhost:1").name == "localhost"


@pytest.mark.parametrize(
    "address",
    [
        "http://", "ftp://host/v1", "http://host:99999", "http://host:x", "http://[::1", "127.0.0.1:8080", "http://hö.st",
        "http://host/v1\r\nX: y", "http://user:secret@host/v1", "http://host/v1?key=secret", "http://host/a b",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="address") as caught:
        endpoint_at(address)
    assert "http://127.0.0.1:8080/v1#MODEL" in caught.value.hint
    assert "secret" not in caught.value.message


def test_a_server_elsewhere_is_spoken_to_because_it_was_named_and_that_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "sesame")
    caplog.set_level("INFO")
    EndpointGenerator("http://models.example.org/v1#m")
    assert "will be sent to http://models.example.org:80/v1" in caplog.text
    assert "unencrypted" in caplog.text
    assert "sesame" not in caplog.text
    caplog.clear()
    EndpointGenerator("http://127.0.0.1:8080")
    assert not caplog.records


def test_the_confidence_is_not_calibrated() -> None:
    with pytest.raises(UsageError, match="'m' is not calibrated"):
        EndpointGenerator("http://localhost:1#m").threshold(0.1)


def test_a_request_is_json() -> None:
    with serving(lambda request: request.say(json.dumps(request.headers))) as server:
        EndpointGenerator(server.address).generate("Warum „so“?", [passage("Größe 東京 \ud83d")])
    assert server.requests[0].headers["Content-Type"] == "application/json"
    assert "Größe 東京" in server.requests[0].prompt
