"""Chat clients: the official openai client speaks to the service over a real port."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

from indexer.errors import GeneratorError
from rag import Passage
from rag.generator import Draft
from tests.serving import listening, service_of
from tests.worlds import WordEncoder, collection_of

TEA = "At what heat is green tea steeped?"
SAID = "Green tea is steeped at eighty degrees."
TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    collection_of(home, {"moon.md": "# The moon\n\nThe moon was full on Friday.\n"}, name="sky").close()
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with listening(service_of(home, token=TOKEN)) as (host, port):
        yield f"http://{host}:{port}/v1"


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=address, api_key=TOKEN, max_retries=0, timeout=60) as client:
        yield client


def asked(question: Any) -> list[Any]:
    return [{"role": "user", "content": question}]


def test_the_collections_are_models(client: Any) -> None:
    assert [model.id for model in client.models.list()] == ["footnote", "footnote/sky", "footnote/world"]
    assert client.models.retrieve("footnote/sky").owned_by == "footnote"
    with pytest.raises(openai.NotFoundError, match="There is no model 'gpt-5'") as told:
        client.models.retrieve("gpt-5")
    assert (told.value.type, told.value.param, told.value.code) == ("invalid_request_error", "model", "model_not_found")


def test_an_answer_has_its_footnotes_in_the_text_and_as_data(client: Any) -> None:
    completion = client.chat.completions.create(model="footnote", messages=asked(TEA))
    (choice,) = completion.choices
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    text, confidence, notes = choice.message.content.split("\n\n")
    assert text == f"{SAID}[^1]"
    assert confidence.startswith("*confidence ")
    assert notes.startswith("[^1]: Tea")
    (citation,) = choice.message.citations
    assert citation["quote"] == SAID
    assert citation["source"].endswith("tea.md")
    assert completion.footnote["answered"]
    assert completion.footnote["collection"] == "world"


def test_what_is_streamed_is_what_is_said_at_once(client: Any) -> None:
    whole = client.chat.completions.create(model="footnote", messages=asked(TEA))
    chunks = list(client.chat.completions.create(model="footnote", messages=asked(TEA), stream=True))
    assert len(chunks) > 2
    assert len({chunk.id for chunk in chunks}) == 1
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].delta.citations == whole.choices[0].message.citations


def test_a_refusal_says_so_and_cites_nothing(client: Any) -> None:
    completion = client.chat.completions.create(model="footnote", messages=asked("Who won the football cup?"))
    assert not completion.footnote["answered"]
    assert completion.choices[0].message.citations == []
    assert "The nearest passages:" in completion.choices[0].message.content


def test_another_collection_is_another_model(client: Any) -> None:
    completion = client.chat.completions.create(model="footnote/sky", messages=asked("When was the moon full?"))
    assert "Friday" in completion.choices[0].message.content
    with pytest.raises(openai.NotFoundError) as told:
        client.chat.completions.create(model="footnote/none", messages=asked(TEA))
    assert isinstance(told.value.body, dict)
    assert "There is no collection 'none'" in told.value.body["message"]
    assert told.value.body["hint"].startswith("Run: footnote index")
    assert (told.value.type, told.value.param, told.value.code) == ("invalid_request_error", "model", "model_not_found")


def test_what_has_no_effect_is_named_in_the_answer(client: Any) -> None:
    conversation = [
        {"role": "system", "content": "You are a pirate."},
        *asked("Who won the football cup?"),
        {"role": "assistant", "content": "Not in these documents."},
        *asked([{"type": "text", "text": TEA}]),
    ]
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    completion = client.chat.completions.create(
        model="footnote", messages=conversation, temperature=0.2, top_p=0.9, max_tokens=50, seed=1, user="somebody",
        tools=[tool], tool_choice="auto", stop=["\n"], frequency_penalty=0.1, n=1, logprobs=False,
    )  # fmt: skip
    assert SAID in completion.choices[0].message.content
    assert completion.footnote["ignored"] == [
        "temperature", "top_p", "seed", "frequency_penalty", "stop", "max_tokens", "user", "tools",
    ]  # fmt: skip
    assert client.chat.completions.create(model="footnote", messages=asked(TEA)).footnote["ignored"] == []


@pytest.mark.parametrize(
    ("option", "param", "said"),
    [
        ({"n": 2}, "n", "There is one answer to a question."),
        ({"logprobs": True}, "logprobs", "What is quoted has no token probabilities."),
        ({"top_logprobs": 3}, "top_logprobs", "What is quoted has no token probabilities."),
        ({"tool_choice": "required"}, "tool_choice", "No tool is called here, so none can be required."),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice", "No tool is called here"),
        ({"extra_body": {"function_call": {"name": "f"}}}, "function_call", "No tool is called here"),
        ({"modalities": ["text", "audio"]}, "modalities", "Answers are text."),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio", "Answers are text."),
        ({"web_search_options": {}}, "web_search_options", "Only your documents are searched."),
        ({"stream_options": {"include_usage": True}}, "stream_options", "stream_options was given without stream."),
        ({"extra_body": {"filter": ["source=*.md"]}}, "filter", "There is no field filter."),
        ({"extra_body": {"k": 0}}, "k", "k must be at least 1, not 0."),
        (
            {"response_format": {"type": "grammar"}},
            "response_format.type",
            "response_format.type must be 'text', 'json_object'",
        ),
    ],
)
def test_what_is_not_served_is_refused_by_its_name(client: Any, option: Any, param: str, said: str) -> None:
    with pytest.raises(openai.BadRequestError) as told:
        client.chat.completions.create(model="footnote", messages=asked(TEA), **option)
    assert isinstance(told.value.body, dict)
    assert said in told.value.body["message"]
    assert set(told.value.body) == {"message", "type", "param", "code", "hint"}
    assert (told.value.type, told.value.param) == ("invalid_request_error", param)
    expected = {"filter": "unknown_parameter"}.get(param, told.value.code)
    assert told.value.code == expected in ("unsupported_value", "invalid_value", "unknown_parameter")


def test_tokens_are_counted_by_the_collection_s_tokenizer(client: Any) -> None:
    """The test's tokenizer parts at spaces. The question has 7 words, the one before it 5, the passage read 13."""
    completion = client.chat.completions.create(
        model="footnote",
        messages=[*asked("What does a hive hold?"), {"role": "assistant", "content": "Bees."}, *asked(TEA)],
        extra_body={"k": 1},
    )
    content = completion.choices[0].message.content
    passage = "Green tea is steeped at eighty degrees. Black tea takes boiling water."
    usage = completion.usage
    assert usage.prompt_tokens == 7 + 5 + len(passage.split()) + 2  # its heading: "# Tea" or "Tea" and a mark
    assert usage.completion_tokens == len(content.split())
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_counts_when_it_is_asked_to(client: Any) -> None:
    whole = client.chat.completions.create(model="footnote", messages=asked(TEA))
    stream = {"stream": True, "stream_options": {"include_usage": True}}
    *chunks, last = client.chat.completions.create(model="footnote", messages=asked(TEA), **stream)
    assert (last.choices, last.usage) == ([], whole.usage)
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    bare = client.chat.completions.create(model="footnote", messages=asked(TEA), stream=True)
    assert all(chunk.usage is None and chunk.choices for chunk in bare)


def test_what_only_footnote_knows_goes_through_extra_body(client: Any) -> None:
    never = client.chat.completions.create(
        model="footnote", messages=asked(TEA), extra_body={"max_error": 0.05, "k": 1}
    )
    assert not never.footnote["answered"]  # 0.9 sure, where 0.95 is asked for
    other = {"filters": ["source=*bees*"]}
    assert not client.chat.completions.create(model="footnote", messages=asked(TEA), extra_body=other).footnote[
        "answered"
    ]


def test_embeddings_are_the_encoders(client: Any) -> None:
    texts = ["Green tea is steeped.", "Bees dance."]
    made = client.embeddings.create(model="footnote", input=texts)  # asks for base64, and decodes it
    expected = WordEncoder().embed_passages(texts)
    assert np.array_equal(np.array([each.embedding for each in made.data], dtype=np.float32), expected)
    assert [each.index for each in made.data] == [0, 1]
    plain = client.embeddings.create(model="footnote", input=texts[0], encoding_format="float")
    assert np.allclose(plain.data[0].embedding, expected[0])
    assert made.usage.total_tokens == 6
    with pytest.raises(openai.BadRequestError, match="makes 32 dimensions, not 64") as told:
        client.embeddings.create(model="footnote", input=texts, dimensions=64)
    assert told.value.param == "dimensions"
    for tokens in ([1, 2], [[1, 2], [3]]):
        with pytest.raises(openai.BadRequestError, match="those of another tokenizer"):
            client.embeddings.create(model="footnote", input=tokens)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        (asked("  "), "holds no word"),
        (asked("x" * 4001), "4,000"),
        ([{"role": "system", "content": "hello"}], "No message of the user"),
        ([], "messages is empty"),
        (asked([{"type": "image_url", "image_url": {"url": "data:,"}}]), "a part of type 'image_url'"),
        (asked([{"type": "text", "text": TEA}, {"type": "file", "file": {"file_id": "f"}}]), "a part of type 'file'"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_asked_is_told_in_words(
    client: Any, messages: list[dict[str, Any]], said: str, stream: bool
) -> None:
    with pytest.raises(openai.BadRequestError, match=said) as told:
        client.chat.completions.create(model="footnote", messages=messages, stream=stream)
    assert told.value.type == "invalid_request_error"
    assert (told.value.param or "").startswith("messages")
    assert told.value.code == ("context_length_exceeded" if said == "4,000" else "invalid_value")


def test_without_the_token_nothing_is_said(address: str) -> None:
    for key in ("another-token-altogether", TOKEN[:-1], TOKEN + "x"):
        with (
            openai.OpenAI(base_url=address, api_key=key, max_retries=0) as stranger,
            pytest.raises(openai.AuthenticationError, match="asks for a token") as told,
        ):
            stranger.models.list()
        assert (told.value.type, told.value.code) == ("authentication_error", "invalid_api_key")


def test_many_at_once_are_answered_each_his_own(address: str) -> None:
    said = {
        TEA: "eighty degrees",
        "What does a hive hold?": "sixty thousand",
        "When does the library open?": "opens at nine",
        "Who won the cup?": "The nearest passages:",
    }
    questions = [*said] * 4

    async def main() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=address, api_key=TOKEN, max_retries=0, timeout=60) as client:
            made = [client.chat.completions.create(model="footnote", messages=asked(each)) for each in questions]
            return [completion.choices[0].message.content for completion in await asyncio.gather(*made)]

    for question, text in zip(questions, asyncio.run(main()), strict=True):
        assert said[question] in (text or "")


@dataclass
class Failing:
    """A generator whose model has gone."""

    name: str = "failing"

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        raise GeneratorError("The model has gone.", "Start it again.")

    def threshold(self, max_error: float | None) -> float:
        return 0.5


def test_a_model_that_fails_is_told_of_at_once_and_in_a_stream(home: Path) -> None:
    with (
        listening(service_of(home, Failing())) as (host, port),
        openai.OpenAI(base_url=f"http://{host}:{port}/v1", api_key="none", max_retries=0, timeout=60) as client,
    ):
        with pytest.raises(openai.APIStatusError, match="The model has gone") as told:
            client.chat.completions.create(model="footnote", messages=asked(TEA))
        assert (told.value.status_code, told.value.type, told.value.code) == (503, "server_error", "generator")
        with pytest.raises(openai.APIError, match="The model has gone"):
            list(client.chat.completions.create(model="footnote", messages=asked(TEA), stream=True))
