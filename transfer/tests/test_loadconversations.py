"""manage.py loadconversations"""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from conversations.models import Conversation, Message

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
    """What it says, what it says to stderr, and what it ends with."""
    out, err, end = io.StringIO(), io.StringIO(), ""
    try:
        call_command("loadconversations", *map(str, arguments), "--user=alice@example.com", stdout=out, stderr=err)
    except CommandError as error:
        end = str(error)
    return out.getvalue(), err.getvalue(), end


def written(folder: Path, *lines: Any, name: str = "x.jsonl") -> Path:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path = folder / name
    path.write_bytes(gzip.compress(b"\n".join(texts)) if name.endswith(".gz") else b"\n".join(texts))
    return path


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_each_line_is_a_conversation_and_again_is_nothing_new(name: str, tmp_path: Path, alice: User) -> None:
    path = written(tmp_path, GOOD, b"", PLAIN, b"  ", name=name)
    assert load(path) == (f"{name}: 2 loaded, 0 there already, 0 bad\n", "", "")
    assert load(path) == (f"{name}: 0 loaded, 2 there already, 0 bad\n", "", "")
    zebras, plain = Conversation.objects.order_by("id")
    assert (zebras.user, zebras.external_id, zebras.source, zebras.title) == (alice, "c-1", "jsonl", "Zebras")
    assert (zebras.tags, zebras.notebooks, zebras.metadata, zebras.model) == (["a"], ["n"], {"k": [1]}, "m")
    assert [(m.external_id, m.role, m.content, m.model) for m in zebras.messages.order_by("seq")] == [
        (None, "user", "é 北京", ""),
        ("m-2", "assistant", "b", "gpt"),
    ]
    assert plain.title == "Without an id" and plain.message_count == 1


def test_two_files_at_once(tmp_path: Path, alice: User) -> None:
    paths = [written(tmp_path, GOOD, name="a.jsonl"), written(tmp_path, PLAIN, GOOD, name="b.jsonl.gz")]
    out, _, _ = load(*paths)
    assert out == "a.jsonl: 1 loaded, 0 there already, 0 bad\nb.jsonl.gz: 1 loaded, 1 there already, 0 bad\n"


def test_the_sample_loads(alice: User) -> None:
    out, _, _ = load(settings.BASE_DIR / "sample" / "mt_bench.jsonl")
    assert out == "mt_bench.jsonl: 30 loaded, 0 there already, 0 bad\n"


@pytest.mark.parametrize(
    ("line", "said"),
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
def test_a_bad_line_is_told_with_its_number_and_passed_over(line: Any, said: str, tmp_path: Path, alice: User) -> None:
    path = written(tmp_path, PLAIN, line, GOOD)
    out, err, end = load(path)
    assert out == "x.jsonl: 2 loaded, 0 there already, 1 bad\n"
    assert err.startswith(f"{path}:2: {said}"), err
    assert err.count("\n") == 1
    assert end == "1 bad lines were passed over."
    assert Conversation.objects.count() == 2 and Message.objects.count() == 3


def test_the_same_id_with_something_else_is_a_bad_line(tmp_path: Path, alice: User) -> None:
    path = written(tmp_path, GOOD, GOOD | {"title": "Else"})
    out, err, _ = load(path)
    assert out == "x.jsonl: 1 loaded, 0 there already, 1 bad\n"
    assert f"{path}:2: " in err and "c-1" in err


@pytest.mark.parametrize("id", [None, ""])
def test_an_empty_id_is_none(id: Any, tmp_path: Path, alice: User) -> None:
    path = written(tmp_path, PLAIN | {"id": id}, GOOD)
    load(path)
    assert load(path)[0] == "x.jsonl: 0 loaded, 2 there already, 0 bad\n"


def test_files_that_cannot_be_read_are_told(tmp_path: Path, alice: User) -> None:
    for path in (tmp_path / "absent.jsonl", tmp_path, written(tmp_path, PLAIN)):
        if path.name == "x.jsonl":
            path = path.rename(tmp_path / "no.gz")
        _, _, end = load(path)
        assert end.startswith(f"{path}: ")


def test_a_torn_gzip_is_told(tmp_path: Path, alice: User) -> None:
    path = written(tmp_path, *[GOOD | {"id": str(i), "title": f"{i * 7919}"} for i in range(500)], name="x.gz")
    whole = path.read_bytes()
    for torn in (whole[: len(whole) // 2], whole[:200] + b"\xff" * 50 + whole[250:], whole[:-4] + b"junk"):
        path.write_bytes(torn)
        assert load(path)[2].startswith(f"{path}: ")


def test_a_user_who_is_not_there_is_made_when_asked(tmp_path: Path, db: None) -> None:
    path = written(tmp_path, PLAIN)
    assert "no user" in load(path)[2]
    assert load(path, "--create-user")[2] == ""
    assert Conversation.objects.get().user.email == "alice@example.com"


@pytest.mark.parametrize(("line", "code"), [(PLAIN, 0), (b"{", 1)])
def test_the_exit_code_says_whether_all_went_well(
    line: Any, code: int, tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the way that the shell takes, but in the test's transaction."""
    from django.core.management import ManagementUtility

    argv = ["manage.py", "loadconversations", str(written(tmp_path, line)), "--user", "alice@example.com"]
    try:
        ManagementUtility(argv).execute()
        ended = 0
    except SystemExit as exit:
        ended = int(exit.code or 0)
    assert ended == code
