"""Questions and their answers: the choice of the model, failures, retries and races."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import User
from accounts.services import set_preferences
from chatstore.errors import Conflict, Invalid, NotFound, ProviderError, RateLimited
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages
from replies.models import UNDER_WAY, Reply
from replies.services import ask as service
from replies.services import exchanges, stop
from replies.services.ask import Wishes
from replies.services.exchanges import Exchange
from testing.cast import active_texts, create_conversation, message_draft, message_with_text
from testing.fake_provider import (
    FAILURES,
    JUNK_BESIDE,
    USAGE,
    FakeProvider,
    answers_when_set,
    completes_with,
    fails,
    streams,
    waits,
)
from testing.generator import generator, generator_thread
from testing.parallel import run_and_disconnect, run_concurrently
from testing.scratch import wait_until
from testing.tree_machine import assert_consistent

__all__ = ["generator", "generator_thread"]
NAMES = ("groq", "rag")
QUESTION: Any = {"role": "user", "content": "Hello"}


def ask(user: User, text: str = "Hello", **more: Any) -> Exchange:
    """Ask a question, wait for its answer and return both. Raises ProviderError if the model fails."""
    asked = service.ask(
        user=user,
        draft={"role": "user", "content": text, "external_id": more.pop("message_id", None)},
        wishes=Wishes(more.pop("model", ""), more.pop("options", {})),
        **{"name": None, "fields": {"source": "native"}, "create_missing": True, **more},
    )
    exchanges.wait(user=user, asked=asked)
    return exchanges.read(user=user, asked=asked)


def context_of(provider: FakeProvider) -> list[tuple[str, str]]:
    """Return the role and the content of each message in the last call of the provider."""
    return [(message["role"], message["content"]) for message in provider.request_bodies[-1]["messages"]]


# --- The choice of the provider


@pytest.mark.parametrize("model", ["", "groq", "gemini", "any/thing", "echo"])
def test_the_echo_answers_for_every_name_if_no_model_is_configured(model: str, alice: User) -> None:
    answer = ask(alice, model=model).answer
    assert answer.model == "echo"
    assert "not a language model" in answer.content and answer.content.endswith("You said: Hello")


def test_the_first_configured_model_is_the_default(alice: User, provider: FakeProvider) -> None:
    answer = ask(alice).answer
    assert (answer.role, answer.content, answer.model) == ("assistant", "Fine.", "groq")
    (sent,) = provider.request_bodies
    assert (sent["model"], sent["messages"]) == ("a-model", [{"role": "user", "content": "Hello"}])


@pytest.mark.parametrize("model", ["gemini", "Groq", "gemini/a-model", "/", "/groq", " groq"])
def test_an_unknown_model_is_refused_with_the_list_of_known_ones(
    model: str, alice: User, provider: FakeProvider
) -> None:
    with pytest.raises(Invalid, match="Configured models: groq, echo") as refusal:
        ask(alice, model=model)
    assert refusal.value.field == "model" and repr(model) in refusal.value.message
    assert not Conversation.objects.exists() and not provider.request_bodies


def test_a_name_with_a_slash_asks_the_provider_for_another_model(alice: User, provider: FakeProvider) -> None:
    assert ask(alice, model="groq/other/model").answer.model == "groq/other/model"
    assert provider.request_bodies[0]["model"] == "other/model"


def test_the_echo_can_be_chosen_when_models_are_configured(alice: User, provider: FakeProvider) -> None:
    assert ask(alice, model="echo").answer.model == "echo"
    assert not provider.request_bodies


@pytest.mark.parametrize(
    ("preferred", "used"), [("rag", "rag"), ("rag/x", "rag/x"), ("echo", "echo"), ("gone", "groq"), ("", "groq")]
)
def test_the_preferred_model_is_used_if_it_is_configured(
    preferred: str, used: str, alice: User, provider: FakeProvider, settings: Any
) -> None:
    settings.MODELS = {name: provider.route(name) for name in NAMES}
    set_preferences(user=alice, changes={"default_model": preferred})
    assert ask(alice).answer.model == used
    assert ask(alice, model="groq").answer.model == "groq"


# --- The context of the model


def test_the_model_gets_the_last_ten_messages_in_order(alice: User, provider: FakeProvider) -> None:
    chat = create_conversation(alice, *map(str, range(20)))
    ask(alice, "And now?", name=str(chat.id))
    assert [text for _, text in context_of(provider)] == [*map(str, range(11, 20)), "And now?"]
    assert {role for role, _ in context_of(provider)} == {"user", "assistant"}


def test_the_usage_of_an_answer_is_stored(alice: User, provider: FakeProvider) -> None:
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 3}}
    provider.behavior = completes_with("Fine.", usage=usage)
    chat, _, answer = ask(alice)
    chat.refresh_from_db()
    answer.refresh_from_db()
    assert (answer.prompt_tokens, answer.completion_tokens, answer.finish_reason) == (7, 2, "stop")
    assert answer.usage == usage
    assert (chat.prompt_tokens, chat.completion_tokens) == (7, 2)


def test_an_answer_without_usage_is_stored(alice: User, provider: FakeProvider) -> None:
    provider.behavior = completes_with("Fine.", usage=None)
    answer = ask(alice).answer
    assert (answer.content, answer.prompt_tokens, answer.usage) == ("Fine.", None, None)


@pytest.mark.parametrize("junk", JUNK_BESIDE)
def test_an_answer_with_malformed_metadata_is_kept(junk: str, alice: User, provider: FakeProvider) -> None:
    provider.behavior = completes_with("Fine.", **JUNK_BESIDE[junk])
    answer = ask(alice).answer
    answer.refresh_from_db()
    assert answer.content == "Fine."
    assert answer.prompt_tokens in (None, 7) and answer.completion_tokens in (None, 1, 2)


# --- Failures and retries


@pytest.mark.parametrize("failure", FAILURES)
def test_a_question_is_kept_when_the_provider_fails_and_can_be_retried(
    failure: str, alice: User, provider: FakeProvider
) -> None:
    provider.behavior = FAILURES[failure]
    ids = {"name": "conv-1", "message_id": "msg-1"}
    with pytest.raises(ProviderError, match="'groq'.* Your message is kept"):
        ask(alice, **ids)
    chat = Conversation.objects.get()
    failed = chat.messages.get(role="assistant")
    assert active_texts(chat) == ["Hello", ""] and (failed.status, "'groq'" in failed.error) == ("failed", True)
    provider.behavior = completes_with("Now.")
    assert ask(alice, **ids).conversation == chat
    assert active_texts(chat) == ["Hello", "Now."]


def test_a_repeated_question_gets_the_stored_answer(alice: User, provider: FakeProvider) -> None:
    first = ask(alice, name="conv-1", message_id="msg-1")
    ask(alice, "Next", name="conv-1")
    provider.behavior = fails(500)
    assert ask(alice, name="conv-1", message_id="msg-1") == first
    assert len(provider.request_bodies) == 2
    assert active_texts(first.conversation) == ["Hello", "Fine.", "Next", "Fine."]


def test_a_late_answer_is_stored_once(alice: User, provider: FakeProvider) -> None:
    ids = {"name": "conv-1", "message_id": "msg-1"}
    provider.behavior = fails(401)
    with pytest.raises(ProviderError):
        ask(alice, **ids)
    provider.behavior = completes_with("Fine.")
    chat = ask(alice, "Next", name="conv-1").conversation
    provider.behavior = completes_with("Late.")
    assert [ask(alice, **ids).answer.content for _ in range(2)] == ["Late.", "Late."]
    assert active_texts(chat) == ["Hello", "", "Next", "Fine.", "Late."] and len(provider.request_bodies) == 3


def test_a_repeated_question_gets_the_active_answer(alice: User, provider: FakeProvider) -> None:
    answer = ask(alice, name="conv-1", message_id="msg-1").answer
    branches.branch(user=alice, message_id=answer.id, changes={"content": "Better."})
    assert ask(alice, name="conv-1", message_id="msg-1").answer.content == "Better."


def test_a_question_whose_answer_was_deleted_is_asked_again(alice: User, provider: FakeProvider) -> None:
    chat, _, answer = ask(alice, name="conv-1", message_id="msg-1")
    messages.trash(user=alice, message_id=answer.id)
    provider.behavior = completes_with("Anew.")
    ask(alice, name="conv-1", message_id="msg-1")
    assert active_texts(chat) == ["Hello", "Anew."]


def test_another_question_under_the_same_id_is_a_conflict(alice: User, provider: FakeProvider) -> None:
    chat = ask(alice, name="conv-1", message_id="msg-1").conversation
    with pytest.raises(Conflict):
        ask(alice, "Other", name="conv-1", message_id="msg-1")
    assert active_texts(chat) == ["Hello", "Fine."] and len(provider.request_bodies) == 1


def test_a_missing_conversation_is_not_found_without_create_missing(alice: User, bob: User) -> None:
    theirs = str(create_conversation(bob, "Hello").id)
    for name in ("conv-1", theirs):
        with pytest.raises(NotFound):
            ask(alice, name=name, create_missing=False)
    assert Conversation.objects.count() == 1


# --- Races


def test_two_first_questions_at_once_share_one_new_conversation(
    generator: Any, alice: User, provider: FakeProvider
) -> None:
    both = run_concurrently(
        *(lambda text=text: ask(alice, text, name="conv-1", message_id=text) for text in ("a", "b"))
    )
    chat = Conversation.objects.get()
    assert sorted(active_texts(chat)) == ["Fine.", "Fine.", "a", "b"]
    assert len({exchange.answer.id for exchange in both}) == 2
    for exchange in both:
        again = ask(alice, exchange.question.content, name="conv-1", message_id=exchange.question.external_id)
        assert again.answer == exchange.answer


def test_two_equal_questions_at_once_without_an_id_are_two_messages(
    generator: Any, alice: User, provider: FakeProvider
) -> None:
    run_concurrently(*[lambda: ask(alice, name="conv-1")] * 2)
    assert sorted(active_texts(Conversation.objects.get())) == ["Fine.", "Fine.", "Hello", "Hello"]


def test_a_question_sent_twice_at_once_is_answered_once(generator: Any, alice: User, provider: FakeProvider) -> None:
    first, second = run_concurrently(*[lambda: ask(alice, name="conv-1", message_id="msg-1")] * 2)
    assert first == second
    assert active_texts(first.conversation) == ["Hello", "Fine."]


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_two_questions_at_once_get_their_own_answers_in_any_order(
    order: str, generator: Any, alice: User, provider: FakeProvider
) -> None:
    gates = {"a": Event(), "b": Event()}
    provider.behavior = answers_when_set(gates)
    chat = create_conversation(alice)

    def said(text: str) -> str | None:
        return run_and_disconnect(lambda: ask(alice, text, name=str(chat.id), message_id=text).answer.content)

    with ThreadPoolExecutor(2) as pool:
        waiting = {}
        for number, text in enumerate("ab", start=1):
            waiting[text] = pool.submit(said, text)
            wait_until(lambda number=number: len(provider.request_bodies) == number)
        for text in order:
            gates[text].set()
            assert waiting[text].result() == f"You said {text}."
    assert [said(text) for text in "ab"] == ["You said a.", "You said b."]
    assert len(provider.request_bodies) == 2 and len(active_texts(chat)) == 4


# --- A question that is not displayed any more


def edit(user: User, question: str, into: str) -> None:
    message = Conversation.objects.owned_by(user).get().messages.get(content=question)
    branches.branch(user=user, message_id=message.id, changes={"content": into})


def test_the_retry_of_an_edited_question_is_answered_on_its_hidden_branch(alice: User, provider: FakeProvider) -> None:
    provider.behavior = fails(500)
    with pytest.raises(ProviderError):
        ask(alice, "France?", name="c", message_id="m")
    edit(alice, "France?", "Spain?")
    provider.behavior = completes_with("Paris.")
    exchange = ask(alice, "France?", name="c", message_id="m")
    assert context_of(provider) == [("user", "France?")]
    assert (exchange.answer.content, exchange.answer.parent_seq) == ("Paris.", exchange.question.seq)
    assert active_texts(exchange.conversation) == ["Spain?"]
    holds(exchange.conversation)


def holds(conversation: Conversation) -> None:
    assert_consistent(Conversation.objects.get(id=conversation.id), list(conversation.messages.order_by("seq")))


def test_an_answer_over_the_content_limit_is_cut(alice: User, provider: FakeProvider, settings: Any) -> None:
    settings.CONTENT_LIMIT = 5
    provider.behavior = completes_with("ééééé")
    answer = ask(alice).answer
    assert (answer.content, answer.status) == ("éé", "incomplete")


def test_the_model_of_a_conversation_answers_if_it_is_configured(alice: User, provider: FakeProvider) -> None:
    for model, used in (("echo", "echo"), ("gone", "groq")):
        chat = create_conversation(alice, model=model)
        assert ask(alice, name=str(chat.id)).answer.model == used


# --- Options


def test_options_of_a_request_replace_those_of_the_conversation(alice: User, provider: FakeProvider) -> None:
    defaults = {"system_prompt": "Be brief.", "temperature": 0.5, "max_tokens": 10}
    chat = create_conversation(alice, model_options=defaults)
    ask(alice, name=str(chat.id), options={"temperature": 1.5, "max_tokens": None, "stop": ["."]})
    sent = provider.request_bodies[0]
    assert (sent["temperature"], sent["stop"], "max_tokens" in sent) == (1.5, ["."], False)
    assert context_of(provider) == [("system", "Be brief."), ("user", "Hello")]


# --- Limits


def refused(user: User, **more: Any) -> str:
    """Ask without an answer, and return the reason of the refusal. Nothing is stored."""
    before = Conversation.objects.count()
    with pytest.raises(RateLimited) as refusal:
        ask(user, **more)
    assert Conversation.objects.count() == before and refusal.value.wait > 0
    return refusal.value.message


def request_reply(user: User) -> None:
    service.ask_with_history(user=user, history=[{"role": "user", "content": "Hello"}], model="")


def test_a_user_can_have_only_so_many_replies_under_way(alice: User, bob: User, settings: Any) -> None:
    settings.REPLIES_PER_USER = 2
    for _ in range(2):
        request_reply(alice)
    assert "2 replies under way at once" in refused(alice)
    ask(bob)  # it also generates those of Alice
    ask(alice)
    assert not Reply.objects.filter(request__has_key="messages").exists()  # a history is not kept


def test_all_users_can_have_only_so_many_replies_under_way(alice: User, bob: User, settings: Any) -> None:
    settings.REPLIES_IN_ALL = 1
    request_reply(alice)
    assert "1 replies of all users under way at once" in refused(bob)


def test_a_user_can_get_only_so_many_tokens_a_day(
    alice: User, bob: User, provider: FakeProvider, settings: Any
) -> None:
    settings.TOKENS_PER_DAY = 9  # one answer of the fake provider
    ask(alice, name="c", message_id="m")
    assert "9 tokens a day" in refused(alice)
    ask(alice, name="c", message_id="m")  # a repeated question gets its stored answer
    ask(bob)
    Reply.objects.filter(user=alice).update(created_at=Now() - timedelta(hours=25))
    ask(alice)


def test_a_reply_whose_provider_reports_no_usage_counts_an_estimate_for_the_limit(
    alice: User, provider: FakeProvider, settings: Any
) -> None:
    provider.behavior = streams({"content": "Fine. " * 20})
    answer = ask(alice, "x" * 400).answer
    assert (answer.prompt_tokens, answer.completion_tokens) == (None, None)
    assert Reply.objects.get().tokens == 4 + 100 + 30  # the role, the question and the answer
    settings.TOKENS_PER_DAY = 134
    assert "134 tokens a day" in refused(alice)


def test_two_questions_at_once_cannot_share_the_last_place(
    generator: Any, alice: User, provider: FakeProvider, settings: Any
) -> None:
    settings.REPLIES_PER_USER = 1
    gate = Event()
    provider.behavior = waits(gate, completes_with("Fine."))

    def attempt() -> bool:
        try:
            request_reply(alice)
        except RateLimited:
            return False
        return True

    assert sorted(run_concurrently(*[attempt] * 4)) == [False, False, False, True]
    gate.set()
    wait_until(lambda: not Reply.objects.filter(UNDER_WAY).exists())


def test_a_user_can_wait_for_answers_with_only_so_many_requests(
    transactional_db: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "WAITING_PER_USER", 1)
    question = create_conversation(alice, "Hello").messages.get()
    asked = service.answer(user=alice, question_id=question.id, wishes=Wishes())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run_and_disconnect, lambda: exchanges.wait(user=alice, asked=asked))
        wait_until(lambda: exchanges._waiting)
        with pytest.raises(RateLimited, match="1 requests that wait"):
            exchanges.wait(user=alice, asked=asked)
        stop.stop(user=alice, conversation_id=asked.conversation_id)
        first.result()


# --- Titles


def test_a_model_writes_the_title_of_a_new_conversation(alice: User, provider: FakeProvider, settings: Any) -> None:
    settings.TITLE_MODEL = "groq"
    provider.behavior = completes_with('"Dinner in Lisbon"\n')
    chat = ask(alice, "Where should I eat?", model="echo").conversation
    (sent,) = provider.request_bodies
    assert sent["messages"][-1] == {"role": "user", "content": "Where should I eat?"} and sent["max_tokens"] > 0
    chat.refresh_from_db()
    assert (chat.title, chat.title_is_auto) == ("Dinner in Lisbon", True)
    ask(alice, "And drink?", name=str(chat.id), model="echo")
    assert len(provider.request_bodies) == 1


def test_the_tokens_of_titles_count_but_titles_take_no_place(
    alice: User, provider: FakeProvider, settings: Any
) -> None:
    settings.TITLE_MODEL, settings.REPLIES_PER_USER = "groq", 2
    for _ in range(3):  # titles that stay in the queue
        service.ask(user=alice, draft=QUESTION, name=None, fields={}, wishes=Wishes(model="echo"))
        Reply.objects.filter(message__isnull=False).update(state="completed")
    assert Reply.objects.filter(request__has_key="title_of").count() == 2  # a user has no more titles than replies
    ask(alice, model="echo")
    settings.TOKENS_PER_DAY = 1
    Reply.objects.filter(message__isnull=False).delete()
    assert "1 tokens a day" in refused(alice)


def test_no_title_is_requested_while_too_many_replies_are_under_way(
    alice: User, provider: FakeProvider, settings: Any
) -> None:
    settings.TITLE_MODEL, settings.REPLIES_IN_ALL = "groq", 1
    service.ask(user=alice, draft=QUESTION, name=None, fields={}, wishes=Wishes(model="echo"))
    assert not Reply.objects.filter(request__has_key="title_of").exists()


def test_a_title_of_a_person_stays(alice: User, provider: FakeProvider, settings: Any) -> None:
    settings.TITLE_MODEL = "groq"
    chat = create_conversation(alice, title="Lisbon")
    ask(alice, name=str(chat.id), model="echo")
    assert not provider.request_bodies
    conversations.set_automatic_title(user=alice, conversation_id=chat.id, title="Other")
    chat.refresh_from_db()
    assert chat.title == "Lisbon"


def test_the_first_line_stays_the_title_if_the_model_fails(alice: User, provider: FakeProvider, settings: Any) -> None:
    settings.TITLE_MODEL, settings.REPLIES_PER_USER = "groq", 1
    provider.behavior = fails(500)
    chat = ask(alice, "Hello", model="echo").conversation
    chat.refresh_from_db()
    assert chat.title == "Hello"


# --- Answers whose metadata a client has replaced


def replace_metadata(answer_id: Any) -> None:
    message = Message.objects.get(id=answer_id)
    messages.update(user=message.user, message_id=message.id, changes={"metadata": {"mine": 1}})


def test_an_answer_whose_metadata_was_replaced_in_the_queue_is_generated_and_repeated(
    alice: User, provider: FakeProvider
) -> None:
    asked = [
        service.ask(
            user=alice,
            draft=QUESTION | {"content": text, "external_id": text},
            name="c",
            fields={"source": "native"},
            wishes=Wishes(),
            create_missing=True,
        )
        for text in ("One?", "Two?")
    ]
    for each in asked:
        replace_metadata(each.answer_id)
        exchanges.wait(user=alice, asked=each)
        assert exchanges.read(user=alice, asked=each).answer.content == "Fine."
        start = Reply.objects.get(id=each.answer_id).events.get(n=1).data
        assert json.loads(start)["question_id"] == str(each.question_id)
    assert Message.objects.get(id=asked[0].answer_id).metadata.keys() == {"mine", "first_token_ms", "duration_ms"}
    for each, text in zip(asked, ("One?", "Two?"), strict=True):
        assert ask(alice, text, name="c", message_id=text).answer.id == each.answer_id
    assert len(provider.request_bodies) == 2


@pytest.mark.parametrize("is_answered", [True, False])
def test_an_answer_whose_metadata_was_replaced_is_stopped_and_written_again(
    is_answered: bool, alice: User, provider: FakeProvider
) -> None:
    chat = create_conversation(alice, "Hello")
    question = chat.messages.get()
    asked = service.answer(user=alice, question_id=question.id, wishes=Wishes())
    replace_metadata(asked.answer_id)
    if is_answered:
        exchanges.wait(user=alice, asked=asked)
    else:
        stop.stop(user=alice, conversation_id=chat.id)
    new = again(alice, chat, Message.objects.get(id=asked.answer_id))
    assert (new.question, new.answer.content) == (question, "Fine.")
    Reply.objects.all().delete()  # as housekeeping does after a day
    replace_metadata(new.answer.id)
    assert again(alice, chat, new.answer).question == question
    assert context_of(provider) == [("user", "Hello")]


# --- Alternatives


def again(user: User, chat: Conversation, message: Message, **wishes: Any) -> Exchange:
    asked = service.answer_again(user=user, conversation_id=chat.id, message_id=message.id, wishes=Wishes(**wishes))
    exchanges.wait(user=user, asked=asked)
    return exchanges.read(user=user, asked=asked)


def test_a_regenerated_answer_is_a_displayed_alternative_of_the_same_model(alice: User, provider: FakeProvider) -> None:
    chat, question, answer = ask(alice, model="groq/other")
    provider.behavior = completes_with("Better.")
    new = again(alice, chat, answer)
    assert (new.question, new.answer.content, new.answer.model) == (question, "Better.", "groq/other")
    assert active_texts(chat) == ["Hello", "Better."]
    holds(chat)


def test_an_edited_question_is_answered_on_a_branch_of_its_own(alice: User, provider: FakeProvider) -> None:
    chat, question, _ = ask(alice, "France?")
    ask(alice, "And its river?", name=str(chat.id))
    asked = service.answer_edited(
        user=alice,
        conversation_id=chat.id,
        message_id=question.id,
        changes={"content": "Spain?"},
        wishes=Wishes(),
    )
    exchanges.wait(user=alice, asked=asked)
    assert context_of(provider) == [("user", "Spain?")]
    assert active_texts(chat) == ["Spain?", "Fine."] and chat.messages.count() == 6
    holds(chat)


def test_a_stored_question_without_an_answer_is_answered(alice: User, provider: FakeProvider) -> None:
    chat = create_conversation(alice, "Hello")
    question = message_with_text(chat, "Hello")
    first = again(alice, chat, question)
    assert again(alice, chat, question) == first and len(provider.request_bodies) == 1


def test_what_cannot_be_regenerated_is_refused(alice: User, provider: FakeProvider) -> None:
    chat, _ = conversations.create(user=alice, fields={}, drafts=[message_draft("Welcome!", "assistant")])
    with pytest.raises(Invalid, match="no answer"):
        again(alice, chat, message_with_text(chat, "Welcome!"))
    question = create_conversation(alice, "Hello").messages.get()
    with pytest.raises(NotFound):
        again(alice, chat, question)  # of another conversation
    asked = service.answer(user=alice, question_id=question.id, wishes=Wishes())
    with pytest.raises(Conflict, match="under way"):
        again(alice, question.conversation, Message.objects.get(id=asked.answer_id))


def test_an_answer_in_progress_that_no_reply_fills_can_be_written_again(alice: User, provider: FakeProvider) -> None:
    draft = message_draft("Par", "assistant", status="in_progress")  # as stored by a client that went away
    conversation = create_conversation(alice, "Hello")
    messages.append(user=alice, conversation_id=conversation.id, drafts=[draft])
    question, answer = conversation.messages.order_by("seq")
    asked = service.answer(user=alice, question_id=question.id, wishes=Wishes())
    assert asked.answer_id == answer.id
    exchanges.wait(user=alice, asked=asked)
    with pytest.raises(ProviderError, match="has not finished"):
        exchanges.read(user=alice, asked=asked)
    again(alice, conversation, answer)


def test_a_reply_that_nobody_has_begun_is_stopped_at_once(alice: User, bob: User, provider: FakeProvider) -> None:
    question = create_conversation(alice, "Hello").messages.get()
    asked = service.answer(user=alice, question_id=question.id, wishes=Wishes())
    with pytest.raises(NotFound):
        stop.stop(user=bob, conversation_id=asked.conversation_id)
    assert stop.stop(user=alice, conversation_id=asked.conversation_id) == [asked.answer_id]
    answer = Message.objects.get(id=asked.answer_id)
    assert (answer.status, answer.finish_reason) == ("incomplete", "stopped")
    assert Reply.objects.get().state == "stopped" and not provider.request_bodies


def test_replies_of_another_user_do_not_exist(alice: User, bob: User, provider: FakeProvider) -> None:
    chat, question, answer = ask(alice)
    for message in (question, answer):
        with pytest.raises(NotFound):
            again(bob, chat, message)
    with pytest.raises(NotFound):
        service.answer(user=bob, question_id=question.id, wishes=Wishes())
    with pytest.raises(NotFound):
        service.answer_edited(
            user=bob, conversation_id=chat.id, message_id=question.id, changes={"content": "x"}, wishes=Wishes()
        )
    with pytest.raises(NotFound):
        ask(bob, name=str(chat.id), create_missing=False)
