"""The command `manage.py loadconversations`."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from conversations.api.serializers import ConversationSerializer, MessageSerializer
from conversations.models import Conversation, Message
from transfer.importers import jsonl, loading

GOOD = {
    "id": "c-1",
    "title": "Zebras",
    "tags": ["a"],
    "notebooks": ["n"],
    "metadata": {"k": [1]},
    "model": "m",
    "messages": [
        {"role": "user", "content": "é 北京"},
        {"id": "m-2", "role": "assistant", "content": "b", "model": "gpt", "parts": [1], "tool_calls": []},
    ],
}
PLAIN = {"messages": [{"role": "user", "content": "Without an id"}]}


def load(*arguments: Any) -> tuple[str, str, str]:
    """Run the command for Alice. Return its output, its error output, and the text of its CommandError."""
    out, err, failure = io.StringIO(), io.StringIO(), ""
    try:
        call_command("loadconversations", *map(str, arguments), "--user=alice@example.com", stdout=out, stderr=err)
    except CommandError as error:
        failure = str(error)
    return out.getvalue(), err.getvalue(), failure


def write_file(folder: Path, *lines: Any, name: str = "x.jsonl") -> Path:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path = folder / name
    path.write_bytes(gzip.compress(b"\n".join(texts)) if name.endswith(".gz") else b"\n".join(texts))
    return path


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_each_line_is_a_conversation_and_loading_again_stores_nothing(name: str, tmp_path: Path, alice: User) -> None:
    path = write_file(tmp_path, GOOD, b"", PLAIN, b"  ", name=name)
    assert load(path) == (f"{name}: 2 loaded, 0 already stored, 0 failed\n", "", "")
    assert load(path) == (f"{name}: 0 loaded, 2 already stored, 0 failed\n", "", "")
    zebras, plain = Conversation.objects.order_by("id")
    assert (zebras.user, zebras.external_id, zebras.source, zebras.title) == (alice, "c-1", "jsonl", "Zebras")
    assert (zebras.tags, zebras.notebooks, zebras.metadata, zebras.model) == (["a"], ["n"], {"k": [1]}, "m")
    assert [(m.external_id, m.role, m.content, m.model) for m in zebras.messages.order_by("seq")] == [
        (None, "user", "é 北京", ""),
        ("m-2", "assistant", "b", "gpt"),
    ]
    assert plain.title == "Without an id" and plain.message_count == 1


def test_one_command_loads_several_files(tmp_path: Path, alice: User) -> None:
    paths = [write_file(tmp_path, GOOD, name="a.jsonl"), write_file(tmp_path, PLAIN, GOOD, name="b.jsonl.gz")]
    out, _, _ = load(*paths)
    assert out == "a.jsonl: 1 loaded, 0 already stored, 0 failed\nb.jsonl.gz: 1 loaded, 1 already stored, 0 failed\n"


def test_the_sample_loads(alice: User) -> None:
    out, _, _ = load(settings.BASE_DIR / "sample" / "mt_bench.jsonl")
    assert out == "mt_bench.jsonl: 30 loaded, 0 already stored, 0 failed\n"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "This is not JSON"),
        (b"\xff", "This is not JSON"),
        (b'{"title": "a\\u0000b"}', "title: A NUL"),
        (b'{"title": "\\ud800"}', "This is not JSON"),
        (b"[" * 100 + b"]" * 100, "[0]: Nested deeper"),
        ([], "Must be an object"),
        (None, "Must be an object"),
        ({"shoe": 1}, "shoe: There is no such field"),
        ({"title": 5}, "title: "),
        ({"title": "x" * 501}, "title: "),
        ({"id": 5}, "id: "),
        ({"id": "x" * 256}, "id: "),
        ({"tags": "a"}, "tags: "),
        ({"tags": [5]}, "tags: "),
        ({"tags": ["x" * 101]}, "tags: "),
        ({"tags": None}, "tags: "),
        ({"metadata": "x"}, "metadata: "),
        ({"metadata": None}, "metadata: "),
        ({"metadata": {"x": "y" * 16_000}}, "metadata: "),
        ({"tags": ["a"] * 51}, "tags: "),
        ({"messages": [{"role": 5, "content": "x"}]}, "messages[0].role: "),
        ({"messages": {}}, "messages: "),
        ({"messages": [5]}, "messages[0]: "),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role: "),
        ({"messages": [{"role": None, "content": "x"}]}, "messages[0].role: "),
        ({"messages": [{"content": "x"}]}, "messages[0].role: "),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content: "),
        ({"messages": [{"role": "user", "content": "x" * 1_000_001}]}, "messages[0].content: "),
        ({"messages": [{"role": "user"}]}, "content: "),
        ({"messages": [{"role": "user", "content": "x", "tool_calls": {}}]}, "messages[0].tool_calls: "),
        ({"messages": [{"role": "user", "content": "x", "parts": "y"}]}, "messages[0].parts: "),
        ({"messages": [{"role": "user", "content": "x", "metadata": []}]}, "messages[0].metadata: "),
        ({"messages": [{"role": "user", "parts": ["x" * 1_000_000]}]}, "messages[0].parts: Has 1,000,004 bytes"),
        ({"messages": [{"role": "user", "tool_calls": ["x" * 1_000_000]}]}, "messages[0].tool_calls: Has 1,000,004 "),
        ({"messages": [{"role": "user", "content": "x", "id": "m"}] * 2}, "external_id: "),
    ],
)
def test_an_invalid_line_is_reported_and_skipped(line: Any, error: str, tmp_path: Path, alice: User) -> None:
    path = write_file(tmp_path, PLAIN, line, GOOD)
    out, err, failure = load(path)
    assert out == "x.jsonl: 2 loaded, 0 already stored, 1 failed\n"
    assert err.startswith(f"{path}:2: {error}"), err
    assert err.count("\n") == 1
    assert failure == "Lines that could not be loaded: 1."
    assert Conversation.objects.count() == 2 and Message.objects.count() == 3


def test_a_repeated_line_does_not_stop_the_others(tmp_path: Path, alice: User) -> None:
    lines = [{"id": id, "messages": [{"role": "user", "content": id}]} for id in ("a", "b", "a", "c")]
    out, _, error = load(write_file(tmp_path, *lines))
    assert ("3 loaded, 1 already stored, 0 failed" in out, error) == (True, "")
    assert Conversation.objects.count() == 3


def test_batches_of_any_size_store_the_same(tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BATCH_BYTES", 150)
    lines = [{"id": str(number), "messages": [{"role": "user", "content": "Hi"}]} for number in range(10)]
    assert "10 loaded" in load(write_file(tmp_path, *lines))[0]
    assert Conversation.objects.count() == 10


def test_an_id_that_is_stored_with_other_content_is_an_error(tmp_path: Path, alice: User) -> None:
    path = write_file(tmp_path, GOOD, GOOD | {"title": "Else"})
    out, err, _ = load(path)
    assert out == "x.jsonl: 1 loaded, 0 already stored, 1 failed\n"
    assert f"{path}:2: " in err and "c-1" in err


@pytest.mark.parametrize("id", [None, ""])
def test_an_empty_id_counts_as_absent(id: Any, tmp_path: Path, alice: User) -> None:
    path = write_file(tmp_path, PLAIN | {"id": id}, GOOD)
    load(path)
    assert load(path)[0] == "x.jsonl: 0 loaded, 2 already stored, 0 failed\n"


def test_a_file_that_cannot_be_read_is_named_in_the_error(tmp_path: Path, alice: User) -> None:
    for path in (tmp_path / "absent.jsonl", tmp_path, write_file(tmp_path, PLAIN)):
        if path.name == "x.jsonl":
            path = path.rename(tmp_path / "no.gz")
        assert load(path)[2].startswith(f"{path}: ")


def test_a_damaged_gzip_file_is_named_in_the_error(tmp_path: Path, alice: User) -> None:
    path = write_file(tmp_path, *[GOOD | {"id": str(i), "title": f"{i * 7919}"} for i in range(500)], name="x.gz")
    intact = path.read_bytes()
    for damaged in (intact[: len(intact) // 2], intact[:200] + b"\xff" * 50 + intact[250:], intact[:-4] + b"junk"):
        path.write_bytes(damaged)
        assert load(path)[2].startswith(f"{path}: ")


def test_the_option_create_user_creates_a_missing_user(tmp_path: Path, db: None) -> None:
    path = write_file(tmp_path, PLAIN)
    assert "no user" in load(path)[2]
    assert load(path, "--create-user")[2] == ""
    assert Conversation.objects.get().user.email == "alice@example.com"


@pytest.mark.parametrize(("line", "code"), [(PLAIN, 0), (b"{", 1)])
def test_the_exit_code_is_1_if_a_line_could_not_be_loaded(
    line: Any, code: int, tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run the command as the shell does, but in the test's transaction."""
    from django.core.management import ManagementUtility

    argv = ["manage.py", "loadconversations", str(write_file(tmp_path, line)), "--user", "alice@example.com"]
    try:
        ManagementUtility(argv).execute()
        exit_code = 0
    except SystemExit as exit:
        exit_code = int(exit.code or 0)
    assert exit_code == code


def test_the_byte_limits_equal_those_of_the_api() -> None:
    fields = dict(ConversationSerializer().fields) | dict(MessageSerializer().fields)
    limits = {name: getattr(field, "byte_limit", 0) for name, field in fields.items()}
    assert {name: limit for name, limit in limits.items() if limit} == jsonl.BYTE_LIMITS


def test_loading_merges_the_pending_lists_of_the_text_indexes(alice: User, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(GOOD))
    load(tmp_path / "a.jsonl")
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('message_words'), gin_clean_pending_list('message_trigrams')")
        assert cursor.fetchone() == (0, 0)
