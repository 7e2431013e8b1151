"""The requests that the client of contract A sends, and the fields that it reads. It saves the history whenever a
stream ends, also after an error or an abort: then the last message is empty, or a part of the reply."""

import pytest

from compat.sessions.tests.helpers import SESSIONS, Json, assistant, post, put, read, stored, system, texts, user
from testing.api_client import ApiClient
from testing.shapes import TIME

ASKED = [system("Be brief."), user("Hi")]
PARTIAL = assistant("The answer", "Let me")
ENDS = {
    "before the first event": assistant(""),
    "while the model thinks": assistant("", "Let me"),
    "in the middle of the reply": PARTIAL,
    "with the text of an error": assistant("The answer\n\nThe model 'groq' did not send a complete answer."),
}


def test_a_list_names_each_session(as_alice: ApiClient) -> None:
    assert as_alice("GET", SESSIONS) == []
    id = post(as_alice, [*ASKED, assistant("Hello")])["id"]
    (session,) = as_alice("GET", SESSIONS)
    assert (session["id"], session["title"]) == (id, "Hi")
    assert (session["messageCount"], session["firstMessage"]) == (3, "Hi")
    assert TIME.fullmatch(session["createdAt"]) and TIME.fullmatch(session["updatedAt"])


def test_a_session_is_created_without_thinking_content(as_alice: ApiClient) -> None:
    """The client's own messages have none until a model has thought."""
    created = post(as_alice, [{"role": role, "content": role} for role in ("system", "user")])
    assert created["id"] and TIME.fullmatch(created["createdAt"]) and TIME.fullmatch(created["updatedAt"])
    assert read(as_alice, created["id"]) == [system("system"), user("user")]


def test_a_session_is_deleted(as_alice: ApiClient) -> None:
    id = post(as_alice, ASKED)["id"]
    assert as_alice("DELETE", f"{SESSIONS}/{id}") == {"success": True}
    assert as_alice("GET", f"{SESSIONS}/{id}", status=404)["error"] == "There is no such conversation."


@pytest.mark.parametrize("end", ENDS)
def test_a_stream_that_ends_early_is_saved_as_it_is(end: str, as_alice: ApiClient) -> None:
    history = [*ASKED, ENDS[end]]
    id = post(as_alice, history)["id"]
    assert read(as_alice, id) == history


@pytest.mark.parametrize("end", ENDS)
def test_the_next_turn_follows_a_stream_that_ended_early(end: str, as_alice: ApiClient) -> None:
    history: list[Json] = [*ASKED, ENDS[end]]
    id = post(as_alice, history)["id"]
    for reply in ("Here.", "", "There."):
        history += [user("Still there?"), assistant(reply)]
        put(as_alice, id, history)
        assert read(as_alice, id) == history
    assert texts(stored(as_alice, id)) == texts(history), "there is one branch"


@pytest.mark.parametrize("end", ENDS)
def test_a_saved_early_end_that_is_sent_again_writes_nothing(end: str, as_alice: ApiClient) -> None:
    id = post(as_alice, [*ASKED, ENDS[end]])["id"]
    before = stored(as_alice, id), as_alice("GET", SESSIONS)
    put(as_alice, id, read(as_alice, id))
    assert (stored(as_alice, id), as_alice("GET", SESSIONS)) == before


@pytest.mark.parametrize("end", ENDS)
def test_a_full_reply_replaces_an_early_end_which_is_kept_in_its_branch(end: str, as_alice: ApiClient) -> None:
    id = post(as_alice, [*ASKED, ENDS[end]])["id"]
    history = [*ASKED, assistant("The answer is 42.")]
    put(as_alice, id, history)
    assert read(as_alice, id) == history
    assert texts(stored(as_alice, id)) == texts([*ASKED, ENDS[end], history[-1]])


def test_a_changed_system_prompt_beside_an_early_end_is_updated(as_alice: ApiClient) -> None:
    id = post(as_alice, [*ASKED, assistant("")])["id"]
    history = [system("Be long."), user("Hi"), assistant(""), user("Still there?"), PARTIAL]
    put(as_alice, id, history)
    assert read(as_alice, id) == history
    assert len(stored(as_alice, id)) == len(history)
