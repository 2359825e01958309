"""What of a conversation makes the question, and what it is read together with."""

from typing import Any

import pytest

from rag.following import standalone
from rag.service.errors import ServiceError
from rag.service.openai.conversation import question_and_history
from rag.service.schemas.chat import Message

WHO = "Who founded the museum?"
FOUNDED = "The museum was founded in 1954 by **Ada Morrow**, a shipwright."
ADA = f"{FOUNDED}[^1]\n\n*confidence 90%, by the copying generator*\n\n[^1]: The museum, line 3: “{FOUNDED}”"


def read(*messages: tuple[str, Any]) -> tuple[str, list[str]]:
    return question_and_history([Message(role=role, content=content) for role, content in messages], "messages")  # type: ignore[arg-type]


def test_the_last_message_of_the_user_is_the_question() -> None:
    assert read(("user", WHO)) == (WHO, [])
    assert read(("user", WHO), ("assistant", "The answer is")) == (WHO, [])  # the beginning of an answer, to be gone on
    assert read(("user", [{"type": "text", "text": "Who founded"}, {"type": "text", "text": "the museum?"}]))[0] == (
        "Who founded\nthe museum?"
    )


def test_the_user_s_questions_before_it_are_its_history() -> None:
    assert read(("user", WHO), ("assistant", ADA), ("user", "And when?")) == ("And when?", [WHO])
    assert read(("user", "x" * 9000), ("user", "?!"), ("user", WHO), ("user", "And when?"))[1] == [WHO]
    assert len(read(*[("user", f"Question {n}?") for n in range(40)])[1]) == 20


def test_who_she_is_stands_in_the_last_answer() -> None:
    """The user's questions name nobody: "When was she born?" was once read as it is, and nothing was found."""
    question, history = read(("user", WHO), ("assistant", ADA), ("user", "When was she born?"))
    assert history == ["Ada Morrow", WHO]
    assert standalone(question, history) == "When was Ada Morrow born?"
    assert read(("user", WHO), ("assistant", f"*read as: Who?*\n\n{ADA}"), ("user", "And he?"))[1] == history
    listed = "Founded by:\n- Ada \\*Morrow\\*\n- Tom[^1]\n\n*confidence 90%*"
    assert read(("user", WHO), ("assistant", listed), ("user", "And he?"))[1][0] == "Founded by:\n- Ada *Morrow*\n- Tom"
    question, history = read(("user", WHO), ("assistant", ADA), ("user", "What does it cost?"))
    assert history == [WHO]  # a thing is what the questions are about, and not what the answer was
    assert standalone(question, history) == "What does the museum cost?"


@pytest.mark.parametrize(
    "answer",
    [
        "*Not sure. The closest is:*\n\n**Tom Hale**[^1]",
        "**Nothing in these documents bears on this.**",
        "Nothing in these documents bears on this.",
        "",
        "?",
        "x" * 9000,
        None,
    ],
)
def test_what_is_no_answer_names_nobody(answer: str | None) -> None:
    assert read(("user", WHO), ("assistant", answer), ("user", "When was she born?"))[1] == [WHO]


def test_a_tool_s_words_are_nobody_s_answer() -> None:
    assert read(("user", WHO), ("assistant", ADA), ("tool", "Tom"), ("user", "When was she born?"))[1] == [WHO]


def test_what_everything_is_about_may_stand_in_a_system_message() -> None:
    about = "You are a guide. You answer questions about the Brenwick museum. Be brief."
    question, history = read(("system", about), ("user", "When was it founded?"))
    assert history == ["You answer questions about the Brenwick museum"]
    assert standalone(question, history) == "When was the Brenwick museum founded?"
    assert read(("system", about), ("user", WHO), ("user", "And when?"))[1] == [WHO]  # what was asked says more
    assert read(("developer", about), ("user", "When was it founded?"))[1] == history


@pytest.mark.parametrize(
    "system", ["You are a helpful assistant. Answer briefly.", "Say nothing about yourself.", "", "about " * 2000]
)
def test_other_instructions_are_not_read(system: str) -> None:
    assert read(("system", system), ("user", "When was it founded?"))[1] == []


@pytest.mark.parametrize(
    ("messages", "param", "said"),
    [
        ([("system", "hello")], "messages", "No message of the user holds a question."),
        ([("user", None)], "messages", "No message of the user holds a question."),
        ([("user", WHO), ("user", [{"type": "input_audio", "input_audio": {}}])], "messages.1.content",
         "A question is a text, and this one holds a part of type 'input_audio'."),
    ],
)  # fmt: skip
def test_what_holds_no_question_is_refused_at_its_place(messages: Any, param: str, said: str) -> None:
    with pytest.raises(ServiceError) as told:
        read(*messages)
    assert (told.value.status, told.value.param, told.value.message) == (400, param, said)
