"""A question and its answer: who is asked, with what, and what is left when that fails or comes twice."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from accounts.models import User
from accounts.services import set_preferences
from chatstore.errors import Conflict, Invalid, NotFound, ProviderError
from conversations.models import Conversation
from conversations.services import branches, conversations, messages
from replies.services import exchanges
from replies.services.exchanges import Exchange
from testing.cast import conversation_of, say, saying, shown
from testing.fake_provider import FAILURES, JUNK_BESIDE, USAGE, FakeProvider, answers_each, fails, says
from testing.parallel import at_once, closing
from testing.scratch import eventually
from testing.tree_machine import hold

NAMES = ("groq", "rag")


def ask(user: User, text: str = "Hello", **more: Any) -> Exchange:
    meant = {"message_id": None, "name": None, "model": "", "source": "native", "create_missing": True}
    return exchanges.exchange(user=user, text=text, **meant | more)


def heard(provider: FakeProvider) -> list[tuple[str, str]]:
    """What the model was last given."""
    return [(message["role"], message["content"]) for message in provider.asked[-1]["messages"]]


# Who is asked.


@pytest.mark.parametrize("model", ["", "groq", "gemini", "any/thing", "echo"])
def test_until_something_is_configured_the_echo_answers_for_every_name_and_says_what_it_is(
    model: str, alice: User
) -> None:
    answer = ask(alice, model=model).answer
    assert answer.model == "echo"
    assert "not a language model" in answer.content and answer.content.endswith("You said: Hello")


def test_what_is_configured_is_the_default(alice: User, provider: FakeProvider) -> None:
    answer = ask(alice).answer
    assert (answer.role, answer.content, answer.model) == ("assistant", "Fine.", "groq")
    assert provider.asked == [{"model": "a-model", "messages": [{"role": "user", "content": "Hello"}]}]


@pytest.mark.parametrize("model", ["gemini", "Groq", "gemini/a-model", "/", "/groq", " groq"])
def test_a_name_that_is_not_configured_is_refused_with_those_that_are(
    model: str, alice: User, provider: FakeProvider
) -> None:
    with pytest.raises(Invalid, match="there are: groq, echo") as refusal:
        ask(alice, model=model)
    assert refusal.value.field == "model" and repr(model) in refusal.value.message
    assert not Conversation.objects.exists() and not provider.asked


def test_a_provider_can_be_asked_for_another_model(alice: User, provider: FakeProvider) -> None:
    assert ask(alice, model="groq/other/model").answer.model == "groq/other/model"
    assert provider.asked[0]["model"] == "other/model"


def test_the_echo_is_there_beside_what_is_configured(alice: User, provider: FakeProvider) -> None:
    assert ask(alice, model="echo").answer.model == "echo"
    assert not provider.asked


@pytest.mark.parametrize(
    ("preferred", "asked"), [("rag", "rag"), ("rag/x", "rag/x"), ("echo", "echo"), ("gone", "groq"), ("", "groq")]
)
def test_the_preferred_model_is_asked_where_it_is_still_there(
    preferred: str, asked: str, alice: User, provider: FakeProvider, settings: Any
) -> None:
    settings.MODELS = {name: provider.route(name) for name in NAMES}
    set_preferences(user=alice, changes={"default_model": preferred})
    assert ask(alice).answer.model == asked
    assert ask(alice, model="groq").answer.model == "groq"


# What it is asked.


def test_the_model_sees_the_last_ten_messages_oldest_first_the_question_last(
    alice: User, provider: FakeProvider
) -> None:
    chat = conversation_of(alice, *map(str, range(20)))
    ask(alice, "And now?", name=str(chat.id))
    assert [text for _, text in heard(provider)] == [*map(str, range(11, 20)), "And now?"]
    assert {role for role, _ in heard(provider)} == {"user", "assistant"}


def test_the_model_sees_no_tools_and_nothing_that_is_not_shown(alice: User, provider: FakeProvider) -> None:
    call = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    drafts = [
        say("Be brief.", "system"),
        say("Old"),
        say(None, "assistant", tool_calls=call),
        say("42", "tool", tool_call_id="c"),
        say("It is 42.", "assistant"),
        say("Gone"),
    ]
    chat, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    messages.trash(user=alice, message_id=saying(chat, "Gone").id)
    ask(alice, "New", name=str(chat.id))
    assert heard(provider) == [
        ("system", "Be brief."),
        ("user", "Old"),
        ("assistant", "It is 42."),
        ("user", "New"),
    ]


def test_what_an_answer_cost_is_stored_with_it(alice: User, provider: FakeProvider) -> None:
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 3}}
    provider.answers = says("Fine.", usage=usage)
    chat, _, answer = ask(alice)
    chat.refresh_from_db()
    answer.refresh_from_db()
    assert (answer.prompt_tokens, answer.completion_tokens, answer.finish_reason) == (7, 2, "stop")
    assert answer.usage == usage
    assert (chat.prompt_tokens, chat.completion_tokens) == (7, 2)


def test_an_answer_without_costs_is_an_answer(alice: User, provider: FakeProvider) -> None:
    provider.answers = says("Fine.", usage=None)
    answer = ask(alice).answer
    assert (answer.content, answer.prompt_tokens, answer.usage) == ("Fine.", None, None)


@pytest.mark.parametrize("junk", JUNK_BESIDE)
def test_an_answer_is_not_lost_for_what_stands_beside_it(junk: str, alice: User, provider: FakeProvider) -> None:
    provider.answers = says("Fine.", **JUNK_BESIDE[junk])
    answer = ask(alice).answer
    answer.refresh_from_db()
    assert answer.content == "Fine."
    assert answer.prompt_tokens in (None, 7) and answer.completion_tokens in (None, 1, 2)


# What goes wrong.


@pytest.mark.parametrize("failure", FAILURES)
def test_when_a_provider_fails_the_question_is_kept_and_asked_again(
    failure: str, alice: User, provider: FakeProvider
) -> None:
    provider.answers = FAILURES[failure]
    again = {"name": "conv-1", "message_id": "msg-1"}
    with pytest.raises(ProviderError, match="'groq'.* Your message is kept"):
        ask(alice, **again)
    chat = Conversation.objects.get()
    assert shown(chat) == ["Hello"]
    provider.answers = says("Now.")
    assert ask(alice, **again).conversation == chat
    assert shown(chat) == ["Hello", "Now."]


def test_a_question_that_comes_again_has_the_answer_that_is_stored(alice: User, provider: FakeProvider) -> None:
    first = ask(alice, name="conv-1", message_id="msg-1")
    ask(alice, "Next", name="conv-1")
    provider.answers = fails(500)
    assert ask(alice, name="conv-1", message_id="msg-1") == first
    assert len(provider.asked) == 2
    assert shown(first.conversation) == ["Hello", "Fine.", "Next", "Fine."]


def test_a_question_that_is_answered_late_is_answered_once(alice: User, provider: FakeProvider) -> None:
    again = {"name": "conv-1", "message_id": "msg-1"}
    provider.answers = fails(401)
    with pytest.raises(ProviderError):
        ask(alice, **again)
    provider.answers = says("Fine.")
    chat = ask(alice, "Next", name="conv-1").conversation
    provider.answers = says("Late.")
    assert [ask(alice, **again).answer.content for _ in range(2)] == ["Late.", "Late."]
    assert shown(chat) == ["Hello", "Next", "Fine.", "Late."] and len(provider.asked) == 3


def test_a_question_that_comes_again_has_the_answer_that_is_shown(alice: User, provider: FakeProvider) -> None:
    answer = ask(alice, name="conv-1", message_id="msg-1").answer
    branches.branch(user=alice, message_id=answer.id, changes={"content": "Better."})
    assert ask(alice, name="conv-1", message_id="msg-1").answer.content == "Better."


def test_a_question_whose_answer_was_deleted_is_asked_again(alice: User, provider: FakeProvider) -> None:
    chat, _, answer = ask(alice, name="conv-1", message_id="msg-1")
    messages.trash(user=alice, message_id=answer.id)
    provider.answers = says("Anew.")
    ask(alice, name="conv-1", message_id="msg-1")
    assert shown(chat) == ["Hello", "Anew."]


def test_another_question_under_the_same_id_is_a_conflict(alice: User, provider: FakeProvider) -> None:
    chat = ask(alice, name="conv-1", message_id="msg-1").conversation
    with pytest.raises(Conflict):
        ask(alice, "Other", name="conv-1", message_id="msg-1")
    assert shown(chat) == ["Hello", "Fine."] and len(provider.asked) == 1


def test_a_conversation_that_may_not_be_made_must_be_there(alice: User, bob: User) -> None:
    theirs = str(conversation_of(bob, "Hello").id)
    for name in ("conv-1", theirs):
        with pytest.raises(NotFound):
            ask(alice, name=name, create_missing=False)
    assert Conversation.objects.count() == 1


# At once.


@pytest.mark.django_db(transaction=True)
def test_two_first_questions_at_once_make_one_conversation_with_both(alice: User, provider: FakeProvider) -> None:
    both = at_once(*(lambda text=text: ask(alice, text, name="conv-1", message_id=text) for text in ("a", "b")))
    chat = Conversation.objects.get()
    assert sorted(shown(chat)) == ["Fine.", "Fine.", "a", "b"]
    assert len({exchange.answer.id for exchange in both}) == 2
    for exchange in both:
        again = ask(alice, exchange.question.content, name="conv-1", message_id=exchange.question.external_id)
        assert again.answer == exchange.answer


@pytest.mark.django_db(transaction=True)
def test_two_first_questions_that_are_the_same_are_two_where_no_id_says_otherwise(
    alice: User, provider: FakeProvider
) -> None:
    at_once(*[lambda: ask(alice, name="conv-1")] * 2)
    assert sorted(shown(Conversation.objects.get())) == ["Fine.", "Fine.", "Hello", "Hello"]


@pytest.mark.django_db(transaction=True)
def test_a_question_that_comes_again_while_it_is_answered_is_answered_once(alice: User, provider: FakeProvider) -> None:
    first, second = at_once(*[lambda: ask(alice, name="conv-1", message_id="msg-1")] * 2)
    assert first == second
    assert shown(first.conversation) == ["Hello", "Fine."]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_each_of_two_questions_has_its_own_answer_whichever_comes_first(
    order: str, alice: User, provider: FakeProvider
) -> None:
    gates = {"a": Event(), "b": Event()}
    provider.answers = answers_each(gates)
    chat = conversation_of(alice)

    def said(text: str) -> str | None:
        return closing(lambda: ask(alice, text, name=str(chat.id), message_id=text).answer.content)

    with ThreadPoolExecutor(2) as pool:
        waiting = {}
        for number, text in enumerate("ab", start=1):
            waiting[text] = pool.submit(said, text)
            eventually(lambda number=number: len(provider.asked) == number)
        for text in order:
            gates[text].set()
            assert waiting[text].result() == f"You said {text}."
    assert [said(text) for text in "ab"] == ["You said a.", "You said b."]
    assert len(provider.asked) == 2 and len(shown(chat)) == 4


# A question that is not shown any more.


def edit(user: User, question: str, into: str) -> None:
    message = Conversation.objects.owned_by(user).get().messages.get(content=question)
    branches.branch(user=user, message_id=message.id, changes={"content": into})


def test_a_question_edited_before_its_retry_is_answered_where_it_stands(alice: User, provider: FakeProvider) -> None:
    provider.answers = fails(500)
    with pytest.raises(ProviderError):
        ask(alice, "France?", name="c", message_id="m")
    edit(alice, "France?", "Spain?")
    provider.answers = says("Paris.")
    exchange = ask(alice, "France?", name="c", message_id="m")
    assert heard(provider) == [("user", "France?")]
    assert (exchange.answer.content, exchange.answer.parent_seq) == ("Paris.", exchange.question.seq)
    assert shown(exchange.conversation) == ["Spain?"]
    holds(exchange.conversation)


def holds(conversation: Conversation) -> None:
    hold(Conversation.objects.get(id=conversation.id), list(conversation.messages.order_by("seq")))


def test_an_answer_longer_than_a_message_may_be_is_cut(alice: User, provider: FakeProvider, settings: Any) -> None:
    settings.CONTENT_LIMIT = 5
    provider.answers = says("ééééé")
    assert ask(alice).answer.content == "éé"
