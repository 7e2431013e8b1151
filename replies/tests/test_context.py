"""The messages that a model gets: their order, their limits, calls and their results, images and files."""

from typing import Any

import pytest

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages
from replies.models import Reply
from replies.services.context import build_context
from testing.cast import create_conversation, message_draft, message_with_text

MANY = {"messages": 100, "tokens": 1_000_000}
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
REPORT = {"type": "file", "file": {"filename": "report.pdf", "file_data": "data:application/pdf;base64,AA"}}


def reply_to(question: Message, *, limits: Any = MANY, **options: Any) -> Reply:
    """Return an unsaved reply whose message would answer this question."""
    message = Message(conversation_id=question.conversation_id, user=question.user)
    request = {"model": "reader", "options": options, "context": limits, "question": str(question.id)}
    return Reply(id=message.id, message=message, user=question.user, request=request, created_at=question.created_at)


def last(chat: Conversation) -> Message:
    return chat.messages.live().filter(is_active=True).latest("seq")


def context(chat: Conversation, *, limits: Any = MANY, **options: Any) -> list[Any]:
    return build_context(reply_to(last(chat), limits=limits, **options))


def texts(chat: Conversation, **options: Any) -> list[str]:
    return [message["content"] for message in context(chat, **options)]


def conversation(user: User, *drafts: Any) -> Conversation:
    chat, _ = conversations.create(user=user, fields={}, drafts=drafts)
    return chat


@pytest.fixture(autouse=True)
def reader(settings: Any) -> None:
    """A model that reads images and files."""
    row = {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    settings.MODELS = {"reader": row | {"input": "text, image, file"}, "blind": row}


# --- The branch and its limits


def test_the_context_is_the_branch_up_to_the_question(alice: User) -> None:
    chat = create_conversation(alice, "Hello", "Hi", "Why?", "Because.", "And?")
    assert context(chat) == [
        {"role": role, "content": text}
        for role, text in zip(
            ["user", "assistant"] * 2 + ["user"], ["Hello", "Hi", "Why?", "Because.", "And?"], strict=True
        )
    ]
    assert [m["content"] for m in build_context(reply_to(message_with_text(chat, "Why?")))] == ["Hello", "Hi", "Why?"]


def test_the_newest_messages_are_kept(alice: User) -> None:
    chat = create_conversation(alice, *map(str, range(21)))
    assert texts(chat, limits=MANY | {"messages": 3}) == ["18", "19", "20"]


def test_a_hidden_branch_has_its_own_messages(alice: User) -> None:
    chat = create_conversation(alice, "Hello", "Hi", "Old")
    old = last(chat)
    branches.branch(user=alice, message_id=old.id, changes={"content": "New"})
    assert texts(chat) == ["Hello", "Hi", "New"]
    assert [message["content"] for message in build_context(reply_to(old))] == ["Hello", "Hi", "Old"]


def test_messages_that_say_nothing_to_a_model_are_left_out(alice: User) -> None:
    chat = conversation(
        alice,
        message_draft("Hello"),
        message_draft("Judged", "critic"),
        message_draft("", "assistant", status="failed"),
        message_draft("Gone", "assistant"),
        message_draft("Noted", "assistant", item_type="note"),
        message_draft("Still there?"),
    )
    messages.trash(user=alice, message_id=message_with_text(chat, "Gone").id)
    assert texts(chat) == ["Hello", "Still there?"]
    assert texts(chat, limits=MANY | {"messages": 2}) == ["Hello", "Still there?"]


def test_the_walk_to_the_root_ends_after_ten_times_the_limit(alice: User) -> None:
    judged = [message_draft("Judged", "critic")] * 25
    chat = conversation(alice, message_draft("Hello"), *judged, message_draft("Still there?"))
    assert texts(chat, limits=MANY | {"messages": 2}) == ["Still there?"]
    assert texts(chat, limits=MANY | {"messages": 3}) == ["Hello", "Still there?"]


def test_tokens_are_counted_from_the_newest_message_on(alice: User) -> None:
    chat = create_conversation(alice, "a" * 400, "b" * 400, "c" * 400)  # 104 tokens each
    assert len(texts(chat, limits=MANY | {"tokens": 312})) == 3
    assert len(texts(chat, limits=MANY | {"tokens": 311})) == 2
    assert len(texts(chat, limits=MANY | {"tokens": 311}, system_prompt="x" * 400)) == 2
    assert texts(chat, limits=MANY | {"tokens": 1}) == ["c" * 400], "the question is always sent"


def test_the_context_is_read_with_one_statement(alice: User, django_assert_num_queries: Any) -> None:
    reply = reply_to(last(create_conversation(alice, *map(str, range(50)))))
    with django_assert_num_queries(1):
        assert len(build_context(reply)) == 50


def test_a_branch_of_megabytes_is_not_read_whole(alice: User) -> None:
    chat = create_conversation(alice, *[f"{n}" + "x" * 900_000 for n in range(12)])
    assert 8 <= len(texts(chat, limits=MANY | {"tokens": 10_000_000})) <= 9


def test_a_question_that_is_gone_or_belongs_to_another_user_is_not_found(alice: User, bob: User) -> None:
    chat = create_conversation(alice, "Hello", "Hi", "Why?")
    reply = reply_to(last(chat))
    reply.message.user = bob
    with pytest.raises(NotFound):
        build_context(reply)
    reply.message.user = alice
    assert len(build_context(reply)) == 3
    messages.trash(user=alice, message_id=last(chat).id)
    with pytest.raises(NotFound):
        build_context(reply)


# --- System prompts


def test_the_system_prompt_of_the_options_comes_first(alice: User) -> None:
    chat = create_conversation(alice, "Hello")
    assert context(chat, system_prompt="Be brief.") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("limit", [2, 100])
def test_the_system_message_of_a_conversation_is_always_sent(limit: int, role: str, alice: User) -> None:
    chat = conversation(
        alice, message_draft("Be brief.", role), *(message_draft(str(n)) for n in range(3)), message_draft("More", role)
    )
    sent = context(chat, limits=MANY | {"messages": limit})
    assert sent[0] == {"role": "system", "content": "Be brief."}
    assert [message["content"] for message in sent[1:]] == ["0", "1", "2", "More"][-limit:]
    sent = context(chat, system_prompt="Speak German.")
    assert sent[0] == {"role": "system", "content": "Speak German.\n\nBe brief."}


def test_a_history_of_a_client_is_sent_as_it_is(alice: User) -> None:
    sent = [{"role": "user", "content": "Hello"}]
    reply = Reply(user=alice, request={"model": "m", "options": {}, "messages": sent})
    assert build_context(reply) == sent
    reply.request["options"] = {"system_prompt": "Be brief."}
    assert build_context(reply) == [{"role": "system", "content": "Be brief."}, *sent]


# --- Calls of tools


def call(id: str, name: str = "f") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}


def asks(*ids: str, text: str | None = None) -> Any:
    return message_draft(text, "assistant", tool_calls=[call(id) for id in ids])


def result(id: str) -> Any:
    return message_draft(f"result {id}", "tool", tool_call_id=id)


def outline(messages: list[Any]) -> list[Any]:
    """Return the ids of each message's calls, the id of a result, or a text."""
    return [
        [call["id"] for call in message["tool_calls"]]
        if "tool_calls" in message
        else f"({message['tool_call_id']})"
        if message["role"] == "tool"
        else message["content"]
        for message in messages
    ]


@pytest.mark.parametrize(
    ("drafts", "sent"),
    [
        ([asks("a", "b"), result("a"), result("b")], [["a", "b"], "(a)", "(b)"]),
        ([asks("a", "b"), result("b")], [["b"], "(b)"]),
        ([asks("a")], []),
        ([asks("a", text="Let me see.")], ["Let me see."]),
        ([result("a")], []),
        ([asks("a"), result("a"), result("a"), result("x")], [["a"], "(a)"]),
        ([asks("a"), message_draft("Wait"), result("a")], ["Wait"]),
        ([asks("a"), result("a"), asks("a"), result("a")], [["a"], "(a)", ["a"], "(a)"]),
        ([message_draft("x", "assistant", tool_calls=[5, {}, {"id": "a"}, {"id": "a", "function": {}}])], ["x"]),
    ],
)
def test_calls_and_results_are_sent_in_pairs(drafts: Any, sent: Any, alice: User) -> None:
    chat = conversation(alice, message_draft("Hello"), *drafts, message_draft("And?"))
    assert outline(context(chat)) == ["Hello", *sent, "And?"]


def test_a_limit_does_not_separate_a_result_from_its_call(alice: User) -> None:
    chat = conversation(alice, message_draft("Hello"), asks("a"), result("a"), message_draft("And?"))
    assert outline(context(chat, limits=MANY | {"messages": 2})) == ["And?"]
    assert outline(context(chat, limits=MANY | {"messages": 3})) == [["a"], "(a)", "And?"]


def test_a_call_is_sent_in_the_format_of_openai(alice: User) -> None:
    stored = call("a") | {"extra": 1, "index": 0}
    draft = message_draft("", "assistant", tool_calls=[stored])
    chat = conversation(alice, message_draft("Hello"), draft, result("a"), message_draft("And?"))
    assert context(chat)[1:3] == [
        {"role": "assistant", "content": None, "tool_calls": [call("a")]},
        {"role": "tool", "content": "result a", "tool_call_id": "a"},
    ]


# --- Images and files


def content(user: User, text: str | None, parts: Any, model: str = "reader") -> Any:
    reply = reply_to(last(conversation(user, message_draft(text, parts=parts))))
    reply.request["model"] = model
    (message,) = build_context(reply)
    return message["content"]


def text_part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def test_images_and_files_are_sent_to_a_model_that_reads_them(alice: User) -> None:
    assert content(alice, "Look:", [PIXEL, REPORT]) == [text_part("Look:"), PIXEL, REPORT]
    assert content(alice, "Look:", [text_part("Look:"), PIXEL]) == [text_part("Look:"), PIXEL]
    assert content(alice, None, [text_part("Look:"), PIXEL]) == [text_part("Look:"), PIXEL]
    assert content(alice, None, [PIXEL]) == [PIXEL]


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ({"type": "input_image", "image_url": "https://x.example/a.png"},
         {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}),
        ({"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,AA"}, PIXEL),
        ({"type": "file", "mediaType": "application/pdf", "url": "data:application/pdf;base64,AA",
          "filename": "report.pdf"}, REPORT),
        ({"type": "input_file", "filename": "report.pdf", "file_data": "data:application/pdf;base64,AA"}, REPORT),
        ({"type": "file", "file": {"file_id": "file-1"}}, {"type": "file", "file": {"file_id": "file-1"}}),
    ],
)  # fmt: skip
def test_the_parts_of_other_formats_are_converted(part: Any, sent: Any, alice: User) -> None:
    assert content(alice, None, [part]) == [sent]


@pytest.mark.parametrize("model", ["blind", "unknown"])
def test_a_text_stands_for_what_a_model_does_not_read(model: str, alice: User) -> None:
    assert content(alice, "Look:", [PIXEL, REPORT], model) == (
        "Look:\n[An image that this model cannot read]\n[A file that this model cannot read: report.pdf]"
    )


@pytest.mark.parametrize(
    "parts",
    [5, {}, {"type": "text"}, [5], [{}], [{"type": "text", "text": 5}], [{"type": "image_url"}],
     [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}], [{"type": "file", "file": {}}],
     [{"type": ["text"]}], [{"type": "step-start"}]],
)  # fmt: skip
def test_parts_of_unknown_formats_are_left_out(parts: Any, alice: User) -> None:
    assert content(alice, "Look:", parts) == "Look:"


def test_the_answer_of_a_model_is_sent_as_text(alice: User) -> None:
    refused = message_draft("", "assistant", parts=[{"type": "refusal", "refusal": "I will not."}])
    drawn = message_draft("Here:", "assistant", parts=[PIXEL])
    chat = conversation(alice, message_draft("Draw"), refused, drawn, message_draft("And?"))
    assert texts(chat) == ["Draw", "I will not.", "Here:", "And?"]
