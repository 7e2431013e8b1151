"""/search/: search in messages and titles."""

import html
import json
import re
import time
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from chatstore.api.responses import format_time
from conversations.models import Conversation, Message
from conversations.search import conditions, execute
from testing.api_client import ApiClient
from testing.cast import create_conversation

NOTHING = {"conversations": [], "results": [], "searched_since": None, "next": None}


def message_body(content: str, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def create_conversation_with(client: ApiClient, *messages: Any, **fields: Any) -> Any:
    bodies = [message_body(message) if isinstance(message, str) else message for message in messages]
    return client("POST", "conversations/", {"title": "Untitled", **fields, "messages": bodies}, status=201)


def url(query: str, **more: Any) -> str:
    return f"search/?q={quote(query)}" + "".join(f"&{name}={value}" for name, value in more.items())


def search(client: ApiClient, query: str, **more: Any) -> Any:
    return client("GET", url(query, **more))


def found(client: ApiClient, query: str, **more: Any) -> list[str]:
    """Return the snippets of the hits as plain text, without the tags <mark>."""
    return [without_marks(hit["snippet"]) for hit in search(client, query, **more)["results"]]


def without_marks(snippet: str) -> str:
    return html.unescape(re.sub("</?mark>", "", snippet))


def test_a_hit_has_all_documented_fields(as_either: ApiClient) -> None:
    created = create_conversation_with(
        as_either, message_body("A striped zebra, no horse", "assistant", model="m"), title="Animals"
    )
    message = as_either("GET", f"conversations/{created['id']}/messages/")["results"][0]
    assert search(as_either, "zebra") == {
        "conversations": [],
        "results": [
            {
                "message_id": message["id"],
                "conversation_id": created["id"],
                "conversation_title": "Animals",
                "seq": 1,
                "role": "assistant",
                "model": "m",
                "is_active": True,
                "created_at": message["created_at"],
                "snippet": "A striped <mark>zebra</mark>, no horse",
            }
        ],
        "searched_since": None,
        "next": None,
    }
    assert search(as_either, "anim") == {
        "conversations": [
            {
                "conversation_id": created["id"],
                "title": "Animals",
                "snippet": "<mark>Anim</mark>als",
                "active_at": created["active_at"],
            }
        ],
        "results": [],
        "searched_since": None,
        "next": None,
    }


# --- Words --------------------------------------------------------------------------------------------

SAID = [
    "The users were running databases quickly",
    "A quick brown fox jumps over the lazy dog",
    "call getUserById(42) or get_user_by_id",
    "我想去北京旅游",
    "東京タワーに行きたい",
    "안녕하세요 세계",
    "Ärger über Öl",
    "100% of C++ and C#, a\\b",
    "don't stop",
]


@pytest.fixture
def as_reader(as_alice: ApiClient) -> ApiClient:
    create_conversation_with(as_alice, *SAID)
    return as_alice


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # Stems
        ("run", [0]), ("RUN", [0]), ("runs", [0]), ("database", [0]), ("jump", [1]),
        # All words, in any order
        ("fox quick", [1]), ("fox database", []), ("user", [2, 0]),
        # Phrases
        ('"brown fox"', [1]), ('"fox brown"', []), ('"lazy dogs"', [1]), ('"unclosed brown', []), ('"brown fox', [1]),
        # Exclusions
        ("quick -fox", [0]), ('quick -"brown fox"', [0]), ("quick -absent", [1, 0]), ("-fox", "not fox"),
        # Parts of words, from three characters
        ("getUserB", [2]), ("serById", [2]), ("UserById(42)", [2]), ("user_by", [2, 0]), ("tabas", [0]), ("ge", []),
        # Chinese, Japanese, Korean
        ("北京", [3]), ("京", [4, 3]), ("北", [3]), ("北京旅", [3]), ("去北京旅游", [3]), ("東京タワー", [4]),
        ("タワ", [4]), ("세계", [5]), ("녕하", [5]), ("安", []), ("想去 旅游", [3]), ("北京 -旅游", []),
        # Case, other scripts, punctuation
        ("ärger", [6]), ("ÖL", [6]), ("100%", [7]), ("C++", [7]), ("a\\b", [7]), ("%", []), ("_", []), ("get_", [2]),
        ("don't", [8]), ("don’t", []), ("stop", [8]),
        # A stop word, and a word that no message contains
        ("the", [1, 0]), ("zzzzzz", []),
    ],
)  # fmt: skip
def test_a_query_finds_the_expected_messages(query: str, expected: Any, as_reader: ApiClient) -> None:
    if expected == "not fox":
        expected = [index for index in reversed(range(len(SAID))) if index != 1]
    assert found(as_reader, query) == [SAID[index] for index in expected]
    assert sorted(found(as_reader, query, sort="relevance")) == sorted(SAID[index] for index in expected)


def test_chinese_matches_in_one_place_only(as_alice: ApiClient) -> None:
    create_conversation_with(as_alice, "中国很大。外国人来了。", "两个中国人", "中国 人", "iPhone手机壳", "phone 手机")
    assert found(as_alice, "中国人") == ["两个中国人"]
    assert found(as_alice, '"中国 人"') == ["中国 人"]
    assert found(as_alice, "phone手机") == ["iPhone手机壳"]
    assert found(as_alice, "手机 -phone手机") == ["phone 手机"]


def test_other_scripts_and_signs_are_found(as_alice: ApiClient) -> None:
    texts = ["สวัสดีครับ", "नमस्ते दुनिया", "ＡＢＣＤＥ", "| a | |", "😀😀😀😀", "---\ntable", "v1.2.3 of 100_000%", "x... y"]
    create_conversation_with(as_alice, *texts)
    for query, text in {
        "วัสดี": texts[0], "मस्ते": texts[1], "ｂｃｄ": texts[2], '"| |"': texts[3], "😀😀😀": texts[4],
        '"---"': texts[5], "1.2": texts[6], "00_0": texts[6], '"0_000%"': texts[6], "...": texts[7],
    }.items():  # fmt: skip
        assert found(as_alice, query) == [text], query


def test_each_operator_restricts_the_hits(as_alice: ApiClient) -> None:
    create_conversation_with(
        as_alice, message_body("word one"), message_body("word two", "assistant", model="gpt-5"), tags=["a b", "x"]
    )
    create_conversation_with(
        as_alice,
        message_body("word three", "tool", tool_calls=[{"id": "1"}]),
        message_body("other", "system"),
        title="word of title",
    )
    for query, expected in {
        "word role:user": ["word one"],
        "word ROLE:assistant": ["word two"],
        "word role:user role:assistant": ["word two", "word one"],
        "word model:gpt-5": ["word two"],
        'word model:"gpt-5"': ["word two"],
        'word tag:"a b"': ["word two", "word one"],
        "word tag:x": ["word two", "word one"],
        "word tag:x tag:y": [],
        "word has:tool_calls": ["word three"],
        "has:tool_calls": ["word three"],
        "role:system": ["other"],
        "tag:x": ["word two", "word one"],
        "word after:2000-01-01": ["word three", "word two", "word one"],
        "word before:2000-01-01": [],
        "word after:2000-01-01T00:00:00Z before:2999-01-01T00:00:00+02:00 role:user": ["word one"],
        "word in:title": [],
        "in:title": [],
    }.items():
        assert found(as_alice, query) == expected, query
    titles = [hit["title"] for hit in search(as_alice, "word in:title")["conversations"]]
    assert titles == ["word of title"]


def test_an_unknown_operator_is_searched_as_text(as_alice: ApiClient) -> None:
    for text in ["role:king", "see http://x.example", "before:noon", "has:it", "a:b", "in:place"]:
        create_conversation_with(as_alice, f"about {text} here")
    for text in ["role:king", "http://x.example", "before:noon", "has:it", "in:place"]:
        assert len(found(as_alice, text)) == 1, text


def test_after_includes_the_exact_time_and_before_excludes_it(as_alice: ApiClient) -> None:
    created = create_conversation_with(as_alice, "word")
    at = as_alice("GET", f"conversations/{created['id']}/messages/")["results"][0]["created_at"]
    assert found(as_alice, f"word after:{at}") == ["word"]
    assert found(as_alice, f"word before:{at}") == []


def test_titles_are_found_by_any_part(as_alice: ApiClient) -> None:
    for title in ("Holiday in 北京", "100% Ölpreis", "holiday_plan"):
        create_conversation_with(as_alice, title=title)

    def titles(query: str) -> list[str]:
        return [hit["title"] for hit in search(as_alice, query)["conversations"]]

    assert titles("holi") == ["holiday_plan", "Holiday in 北京"]
    assert titles("holiday 京") == ["Holiday in 北京"]
    assert titles("holiday -plan") == ["Holiday in 北京"]
    assert titles("ölp") == ["100% Ölpreis"]
    assert titles("y_p") == ["holiday_plan"]
    assert titles("0%") == ["100% Ölpreis"]
    assert titles("role:user") == titles("") == []


def test_unusual_queries_cause_no_error(as_reader: ApiClient) -> None:
    for query in [
        "", " ", "-", "--", '"', '""', '"""', "()", "a & b | !c", "':*", "'", "\\", "%", "_", "*", "((((", "[a-",
        "{1}", "\0", "a\0b", "\ufffd", "\u200b", "😀", "role:", "role:''", "-role:user", "before:", "after:0000-1",
        "before:10000-01-01", "before:9999-12-31T23:59:59-23:59", "after:0001-01-01T00:00:00+23:59",
        "after:2026-01-01T00:00:00+00:00:00.5", "after:2026-01-01T00:00:00+10:20:30", "before:0001-01-01",
        "after:20260101T000000", "after:2026-W01-1", "AND OR NOT", "<b>", "x" * 5_000, "x " * 3_000, "-x " * 500,
        "北" * 3_000, '-"' * 500, "tag:" + "x" * 500, "has:tool_calls in:title role:user", "***:a", "(?i)x", "\\y",
        "\n\t", "a\\", "$1", "%s %(p0)s", "{} {message}", "\u0130", "ß", "\U0001f468\u200d\U0001f469", "ｶﾀｶﾅ",
        "\U00020000", "ar\u0301",
    ]:  # fmt: skip
        for more in ({}, {"sort": "relevance"}):
            search(as_reader, query, **more)
    for raw in ["%ff", "%00", "%", "%e4%b8", "+", "%2", "a%FFb"]:
        as_reader("GET", f"search/?q={raw}")


@pytest.mark.parametrize("query", ["", "?query=x", "?q=x&sort=newest", "?q=x&sort=", "?q=x&limit=0", "?q=x&limit=101"])
def test_an_invalid_parameter_is_a_400(query: str, as_alice: ApiClient) -> None:
    as_alice.refusal("GET", f"search/{query}", status=400)


# --- Scope of a search --------------------------------------------------------------------------------


def test_messages_of_hidden_branches_are_found(as_alice: ApiClient) -> None:
    created = create_conversation_with(as_alice, "zebra")
    message = as_alice("GET", f"conversations/{created['id']}/messages/")["results"][0]
    as_alice("PATCH", f"messages/{message['id']}/?branch=true", {"content": "horse"}, status=201)
    (hit,) = search(as_alice, "zebra")["results"]
    assert not hit["is_active"]
    as_alice("POST", f"conversations/{created['id']}/branch/", {"message_id": hit["message_id"]})
    assert search(as_alice, "zebra")["results"][0]["is_active"]


def test_the_trash_is_not_searched(as_alice: ApiClient) -> None:
    kept, trashed = (
        create_conversation_with(as_alice, "zebra one", "zebra two"),
        create_conversation_with(as_alice, "zebra three", title="zebra"),
    )
    message = as_alice("GET", f"conversations/{kept['id']}/messages/")["results"][0]
    as_alice("DELETE", f"messages/{message['id']}/", status=204)
    as_alice("DELETE", f"conversations/{trashed['id']}/", status=204)
    for query in ("zebra", "ebra", "role:user"):
        answer = search(as_alice, query)
        assert [without_marks(hit["snippet"]) for hit in answer["results"]] == ["zebra two"]
        assert answer["conversations"] == []


def test_messages_of_another_user_are_not_found(as_alice: ApiClient, as_bob: ApiClient) -> None:
    create_conversation_with(as_alice, message_body("zebra 北京", tool_calls=[]), title="zebra", tags=["x"])
    for query in ("zebra", "ebr", "北京", "京", "role:user", "tag:x", "has:tool_calls", "after:2000-01-01", "-horse"):
        for sort in ("recent", "relevance"):
            assert search(as_bob, query, sort=sort) == NOTHING


def test_an_edited_text_is_found_immediately(as_alice: ApiClient) -> None:
    created = create_conversation_with(as_alice, "zebra")
    message = as_alice("GET", f"conversations/{created['id']}/messages/")["results"][0]
    as_alice("PATCH", f"messages/{message['id']}/", {"content": "horse"})
    assert (found(as_alice, "zebra"), found(as_alice, "horse")) == ([], ["horse"])


# --- Snippets -----------------------------------------------------------------------------------------


def test_a_snippet_is_safe_html(as_alice: ApiClient) -> None:
    text = "<script>alert('zebra')</script> & <b title=\"x\">zebras</b> </mark><mark>"
    create_conversation_with(as_alice, text, title="<i>zebra</i>")
    answer = search(as_alice, "zebra")
    for snippet in (answer["results"][0]["snippet"], answer["conversations"][0]["snippet"]):
        rest = re.sub("</?mark>", "", snippet)
        assert "<" not in rest and ">" not in rest and '"' not in rest and "'" not in rest
        assert "<mark>zebra" in snippet
    assert without_marks(answer["results"][0]["snippet"]) == text
    for query in ("script", "<b", "&", "<script>", "alert('zebra')", "mark", "amp", "lt"):
        snippets = [hit["snippet"] for hit in search(as_alice, query)["results"]]
        assert all(without_marks(snippet) == text for snippet in snippets), query


def test_the_snippet_of_a_long_text_is_the_part_around_the_match(as_alice: ApiClient) -> None:
    for size in (1_000, 400_000):
        create_conversation_with(as_alice, "x " * (size // 2) + "the needle lies here" + " y" * (size // 2))
    for hit in search(as_alice, "needle")["results"]:
        assert "<mark>needle</mark> lies here" in hit["snippet"]
        assert hit["snippet"].startswith("…") and hit["snippet"].endswith("…")
        assert len(without_marks(hit["snippet"])) < 300


def test_a_snippet_marks_words_that_match_by_their_stem(as_alice: ApiClient) -> None:
    create_conversation_with(as_alice, "He is happy running")
    for query, snippet in {
        "runs": "He is happy <mark>running</mark>",
        "run": "He is happy <mark>run</mark>ning",
        "happiness": "He is <mark>happy</mark> running",
    }.items():
        assert search(as_alice, query)["results"][0]["snippet"] == snippet


# --- Pages --------------------------------------------------------------------------------------------


def fill(user: User, texts: list[str]) -> list[str]:
    """Create a conversation in which every three messages have the same time. Return their texts, newest first."""
    now = timezone.now()
    times = {"created_at": now, "updated_at": now}
    conversation = Conversation.objects.create(
        user=user, title="Filled", active_at=now, last_seq=len(texts), tip_seq=len(texts), **times
    )
    rows = [
        Message(conversation=conversation, user=user, seq=i + 1, role="user", content=text, updated_at=now,
                created_at=now - timedelta(seconds=(len(texts) - i) // 3))
        for i, text in enumerate(texts)
    ]  # fmt: skip
    Message.objects.bulk_create(rows)
    rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    return [row.content or "" for row in rows]


@pytest.mark.parametrize("sort", ["recent", "relevance"])
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
@pytest.mark.parametrize("query", ["word", "wor", "role:user", "词语"])
def test_pages_have_each_hit_once(query: str, limit: int, sort: str, as_alice: ApiClient, alice: User) -> None:
    texts = fill(alice, [f"{'word ' * (1 + i % 4)}{'sword' * (i % 2)} 词语 number {i}" for i in range(23)])
    hits = as_alice.pages(url(query, limit=limit, sort=sort))
    snippets = [without_marks(hit["snippet"]) for hit in hits]
    assert sorted(snippets) == sorted(texts)
    if sort == "recent":
        assert snippets == texts
    assert as_alice("GET", url(query, limit=limit, sort=sort)) == as_alice("GET", url(query, limit=limit, sort=sort))


def test_pages_continue_after_the_newest_thousand_messages(as_alice: ApiClient, alice: User) -> None:
    texts = fill(alice, [("needle " if i % 100 == 0 else "hay ") + str(i) for i in range(3_000)])
    needles = [text for text in texts if text.startswith("needle")]
    for query in ("needle", "eedle"):
        assert [without_marks(hit["snippet"]) for hit in as_alice.pages(url(query, limit=7))] == needles
    # Ten of the newest 1,000 messages match. They are more than a page, so only they are ranked.
    ranked = [without_marks(hit["snippet"]) for hit in as_alice.pages(url("needle", limit=7, sort="relevance"))]
    assert sorted(ranked) == sorted(needles[:10])


def test_only_the_first_page_has_titles(as_alice: ApiClient, alice: User) -> None:
    fill(alice, ["filled"] * 3)
    first = search(as_alice, "filled", limit=2)
    assert [hit["title"] for hit in first["conversations"]] == ["Filled"]
    assert as_alice("GET", first["next"])["conversations"] == []


def test_a_snippet_of_a_long_text_shows_a_late_match_if_there_are_few_terms(as_alice: ApiClient) -> None:
    terms = [f"needle{number}" for number in range(24)]
    create_conversation_with(as_alice, "hay " * 4_000 + " ".join(terms))
    (few,) = search(as_alice, " ".join(terms[:2]))["results"]
    assert "<mark>needle0</mark> <mark>needle1</mark>" in few["snippet"]
    (many,) = search(as_alice, " ".join(terms))["results"]
    assert many["snippet"].startswith("hay hay")


# --- Bounds -------------------------------------------------------------------------------------------


def fill_quickly(user: User, texts: str, count: int) -> Conversation:
    """Create `count` messages, one each second, with one statement. `texts` is an SQL expression of the number n."""
    conversation = create_conversation(user)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO message (id, conversation_id, user_id, seq, is_active, role, item_type, content, reasoning,
                name, model, tool_call_id, status, finish_reason, error, metadata, created_at, updated_at)
            SELECT gen_random_uuid(), %s, %s, n, true, 'user', 'message', {texts}, '', '', '', '', 'completed', '', '',
                '{{}}', now() - n * interval '1 second', now() FROM generate_series(1, %s) n""",
            [conversation.pk, user.pk, count],
        )
        cursor.execute("SELECT gin_clean_pending_list('message_words'), gin_clean_pending_list('message_trigrams')")
        cursor.execute("ANALYZE message")
    return conversation


@pytest.fixture
def long_ago(as_alice: ApiClient, alice: User) -> str:
    """Return the text of a message that is older than the newest 10,000."""
    text = "To be or not to be --- 😀😀😀"
    conversation = fill_quickly(alice, "'plain hay ' || n", 10_050)
    Message.objects.filter(conversation=conversation, seq=10_040).update(content=text, role="critic", model="old")
    return text


def test_a_query_that_no_index_serves_searches_ten_thousand_messages_a_page(as_alice: ApiClient, long_ago: str) -> None:
    for query in ('"---"', "😀😀😀", '"to be or"', "role:critic", "model:old", "role:critic -hay", "-plain"):
        first = search(as_alice, query)
        assert first["results"] == [] and first["next"], query
        oldest = Message.objects.get(seq=10_000)
        assert first["searched_since"] == format_time(oldest.created_at)
        second = as_alice("GET", first["next"])
        assert [without_marks(hit["snippet"]) for hit in second["results"]] == [long_ago], query
        assert second["searched_since"] is second["next"] is None


def test_an_index_finds_messages_of_any_age_at_once(as_alice: ApiClient, alice: User) -> None:
    old = "A rare needle, 我想去北京旅游, สวัสดีครับ"
    conversation = fill_quickly(alice, "'plain hay ' || n", 10_050)
    Message.objects.filter(conversation=conversation, seq=10_040).update(content=old)
    for query in ("needle", "eedl", "北京", "去北京旅", "สวัสดี", 'needle "re n"', "needle role:user"):
        answer = search(as_alice, query)
        assert [without_marks(hit["snippet"]) for hit in answer["results"]] == [old], query
        assert answer["next"] is None


def test_a_filter_that_few_messages_pass_is_applied_before_a_common_word(as_alice: ApiClient, long_ago: str) -> None:
    assert search(as_alice, "hay role:critic")["searched_since"]
    assert as_alice.pages(url("be role:critic -hay"))[0]["role"] == "critic"


def test_the_cost_of_a_search_does_not_depend_on_the_texts_of_others(
    as_alice: ApiClient, alice: User, bob: User
) -> None:
    queries = (
        "nowhere", "北京烤鸭", "สวัสดี", "नमस्ते", "Привет", "😀😀😀", '"---"', '"| |"', "a.*b+[c]",
        '"to be or not to be"', "hay role:critic", "nowherefound", "hay1 " * 24, "role:critic", "tag:none",
    )  # fmt: skip
    fill_quickly(alice, "'plain hay ' || n", 2_000)
    before = {query: buffers(as_alice, query) for query in queries}
    fill_quickly(
        bob, "'nowhere 北京烤鸭 สวัสดี नमस्ते Привет 😀😀😀 ---| | a.*b+[c] nowherefound hay1 to be or ' || n", 8_000
    )
    for query in queries:
        assert buffers(as_alice, query) < before[query] * 1.5 + 100, query


def test_a_text_without_trigrams_is_never_searched_in_the_index_of_trigrams(as_alice: ApiClient) -> None:
    """PostgreSQL would read the entries of all users."""
    for query in ("😀😀😀", '"---"', '"| |"', "...", "①②③", '"to be or not to be"', "北京烤鸭", "-北京烤鸭", "é-é-é"):
        assert all(re.search(r"m\.content (~|I?LIKE)", sql) is None for sql in statements(as_alice, query)), query


def buffers(client: ApiClient, query: str) -> int:
    """Return the number of PostgreSQL's pages that the statements of a search read."""
    with connection.cursor() as cursor:
        plans = [
            json.loads(text) if isinstance(text, str) else text
            for sql in statements(client, query)
            for (text,) in run(cursor, f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}")
        ]
    return sum(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] for (plan,) in plans)


@pytest.mark.django_db(transaction=True)  # the tests of time limits commit: an error ends a transaction
def test_a_slow_index_is_given_up_for_the_newest_messages(
    as_alice: ApiClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = fill(alice, ["needle" if i == 2 else f"hay {i}" for i in range(1_100)])
    monkeypatch.setattr(
        execute, "BY_INDEX", "message m JOIN conversation c ON c.id = m.conversation_id WHERE pg_sleep(5) IS NULL"
    )
    assert texts.index("needle") > execute.NEWEST
    assert found(as_alice, "needle") == ["needle"]


def make_slow(monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
    """Let PostgreSQL sleep while it runs this statement of `execute`."""
    sleep = f"{{scope}} AND (SELECT pg_sleep({seconds})) IS NOT NULL"
    monkeypatch.setattr(execute, name, getattr(execute, name).replace("{scope}", sleep))


@pytest.mark.django_db(transaction=True)
def test_the_statements_of_a_search_share_a_time(
    as_alice: ApiClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one alone is fast enough."""
    fill(alice, ["plain hay"])
    make_slow(monkeypatch, "NEWEST_FIRST", 0.8)
    started = time.monotonic()
    assert as_alice.refusal("GET", url("needle"), status=400) == ("search_too_slow", "q")
    assert time.monotonic() - started < 2.5  # two times 0.8 seconds would be above the limit of 1.5 seconds


@pytest.mark.django_db(transaction=True)
def test_words_are_found_if_the_search_inside_words_is_too_slow(
    as_alice: ApiClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(alice, ["needle", "pineneedle"])
    assert set(found(as_alice, "needle")) == {"needle", "pineneedle"}
    make_slow(monkeypatch, "NEWEST_FIRST", 0.8)
    assert found(as_alice, "needle") == ["needle"]


@pytest.mark.django_db(transaction=True)
def test_a_slow_search_filters_fewer_messages_a_page_and_loses_none(
    as_alice: ApiClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message that the third stage filters costs a millisecond here. It has 0.3 seconds, and then 1.2 seconds."""
    texts = fill(alice, [f"--- {i}" if i % 200 == 0 else f"hay {i}" for i in range(700)])
    condition = "WHERE CASE WHEN pg_sleep(0.001) IS NULL THEN false ELSE {message} END"
    slow = execute.SINCE_OLDEST.replace("WHERE {message}", condition)
    monkeypatch.setattr(execute, "SINCE_OLDEST", slow)
    monkeypatch.setattr(execute, "RESERVE", 1_200)
    monkeypatch.setattr(execute, "NEWEST", 200)
    first = search(as_alice, '"---"')
    assert first["searched_since"] and first["next"]
    hits = as_alice.pages(url('"---"'))
    assert [without_marks(hit["snippet"]) for hit in hits] == [text for text in texts if text.startswith("---")]


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_is_a_400(as_alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "STEMS", "SELECT pg_sleep(5)::text FROM (SELECT %s) t")
    assert as_alice.refusal("GET", url("word"), status=400) == ("search_too_slow", "q")


def test_a_search_sends_one_message_to_the_database_for_each_statement(as_alice: ApiClient, alice: User) -> None:
    """The stems, the titles, and twice the newest messages and an index: for words, and for parts of words."""
    fill(alice, ["plain hay"])
    with CaptureQueriesContext(connection) as captured:
        search(as_alice, "needle")
    texts = [recorded["sql"] or "" for recorded in captured]
    first = next(
        number for number, text in enumerate(texts) if "phraseto_tsquery" in text or "FROM conversation" in text
    )
    assert len(texts[first:]) == 6


def test_the_time_limit_ends_with_the_search(as_alice: ApiClient) -> None:
    def limit() -> str:
        with connection.cursor() as cursor:
            return run(cursor, "SHOW statement_timeout")[0][0]

    before = limit()
    search(as_alice, "word role:user")
    assert limit() == before


# --- Indexes ------------------------------------------------------------------------------------------


def statements(client: ApiClient, query: str) -> list[str]:
    """Return the statements with which a search reads messages."""
    # On a busy machine, the second stage could exceed its limit, and a third one would follow.
    with mock.patch.object(execute, "INDEX_TIME_LIMIT", 30_000), CaptureQueriesContext(connection) as captured:
        search(client, query)
    # Django records no text of a prepared statement, such as the one that finds the token.
    texts = [recorded["sql"] or "" for recorded in captured]
    # The statement is between the one that sets the time limit and the one that resets it.
    return [text.split(";\n")[1] for text in texts if "message m" in text]


def run(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql.replace("%", "%%"), [])
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def plans(client: ApiClient, query: str) -> str:
    with connection.cursor() as cursor:
        return "\n".join(line for sql in statements(client, query) for (line,) in run(cursor, f"EXPLAIN {sql}"))


def test_a_rare_word_is_found_by_an_index(as_alice: ApiClient, alice: User, bob: User) -> None:
    fill(bob, [f"some hay of a stranger {i}" for i in range(2_000)])
    fill(alice, ["a rare needle 北京", *[f"plain hay {i} and again {i * 7}" for i in range(4_000)]])
    with connection.cursor() as cursor:
        # Housekeeping and autovacuum also do this. PostgreSQL would not use an index with a long pending list here.
        cursor.execute("SELECT gin_clean_pending_list('message_words'), gin_clean_pending_list('message_trigrams')")
        cursor.execute("ANALYZE message")
        cursor.execute("ANALYZE conversation")
        # As on the embedded server. The dead rows of earlier tests make the table large, and its scan look cheap.
        cursor.execute("SET LOCAL random_page_cost = 1.1")
    for query, index in {
        "needle": "message_words",
        '"rare needle"': "message_words",
        "nowhere-to-be-found": "message_words",
        "北京": "message_words",
        "京": "message_words",
        "北京烤鸭": "message_words",
        "eedl": "message_trigrams",
        "nowherefound": "message_trigrams",
    }.items():
        plan = plans(as_alice, query)
        assert index in plan and "message_recent" in plan, plan
        assert "Seq Scan on message" not in plan, plan
        assert "message_trigrams" not in plans(as_alice, "北京烤鸭")


def test_a_query_with_an_operator_for_messages_finds_no_titles(as_alice: ApiClient, alice: User) -> None:
    create_conversation(alice, "Zebra crossing")
    assert [hit["title"] for hit in search(as_alice, "zebra")["conversations"]] == ["Zebra crossing"]
    assert search(as_alice, "zebra role:user")["conversations"] == []
    assert search(as_alice, "zebra -crossing")["conversations"] == []
    assert len(search(as_alice, "zebra in:title role:user")["conversations"]) == 1
