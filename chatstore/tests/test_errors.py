"""Malformed and unusual HTTP requests to a real server."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from testing.api_client import is_error
from testing.live_server import Live, bearer, json_body, live, read_response
from testing.parallel import run_concurrently

__all__ = ["bearer", "live"]  # fixtures

CONVERSATIONS = "/api/v1/conversations/"


class Body:
    """The part of a response that `is_error` reads."""

    def __init__(self, answer: Any) -> None:
        self.content = answer.body


def assert_refused(answer: Any, status: int, code: str) -> None:
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.headers["Content-Type"].startswith("application/json")
    assert is_error(Body(answer))
    assert json_body(answer)["error"]["code"] == code


def conversation_count(live: Live, bearer: dict[str, str]) -> int:
    return len(json_body(live.call("GET", CONVERSATIONS, **bearer))["results"])


# --- Bodies -------------------------------------------------------------------------------------------


def chunks(body: bytes, size: int = 10) -> Iterator[bytes]:
    yield from (body[i : i + size] for i in range(0, len(body), size))


def test_a_chunked_body_is_accepted(live: Live, bearer: dict[str, str]) -> None:
    answer = live.call("POST", CONVERSATIONS, chunks(b'{"title": "In pieces"}'), **bearer)
    assert (answer.status, json_body(answer)["title"]) == (201, "In pieces")


def test_a_chunked_body_over_the_limit_is_a_413(live: Live, bearer: dict[str, str]) -> None:
    answer = live.call("POST", CONVERSATIONS, chunks(b" " * 4_000_001, 100_000), **bearer)
    assert_refused(answer, 413, "too_large")
    assert conversation_count(live, bearer) == 0


def test_a_chunked_body_over_the_largest_limit_is_not_read_to_its_end(live: Live, bearer: dict[str, str]) -> None:
    """The server reads up to the largest limit, then closes the connection, even if the client is still sending."""
    with suppress(ConnectionError):
        assert_refused(
            live.call("POST", CONVERSATIONS, chunks(b" " * 40_000_000, 1_000_000), **bearer), 413, "too_large"
        )
    assert conversation_count(live, bearer) == 0


def test_a_body_over_the_limit_is_a_413_and_the_connection_stays_open(live: Live, bearer: dict[str, str]) -> None:
    with live.connection() as connection:
        for size, status in [(4_000_001, 413), (20_000_000, 413), (100, 400)]:
            connection.request("POST", CONVERSATIONS, b" " * size, {**bearer, "Content-Type": "application/json"})
            answer = read_response(connection)
            assert answer.status == status
            assert is_error(Body(answer))
        connection.request("GET", CONVERSATIONS, headers=bearer)
        assert read_response(connection).status == 200


def test_a_body_shorter_than_its_declared_length_is_refused_when_the_client_closes_its_side(
    live: Live, bearer: dict[str, str]
) -> None:
    """The part of the body that arrived is not JSON."""
    head = request("POST", CONVERSATIONS, bearer, length=50)
    answer = live.raw(head + b'{"title": "x')
    assert b" 400 " in answer.splitlines()[0]
    assert conversation_count(live, bearer) == 0


def test_a_huge_declared_length_is_refused_before_the_body_is_read(live: Live, bearer: dict[str, str]) -> None:
    with socket.create_connection(("localhost", live.port), timeout=10) as connection:
        connection.sendall(request("POST", CONVERSATIONS, bearer, length=10**12))
        assert b" 413 " in connection.recv(4096).splitlines()[0]


@pytest.mark.parametrize("length", ["-1", "abc", "1_0", "+5", "0x10", "5, 6", "٣"])
def test_a_content_length_that_is_not_a_number_is_a_400(length: str, live: Live, bearer: dict[str, str]) -> None:
    answer = live.raw(request("POST", CONVERSATIONS, bearer, length=length) + b"{}")
    assert b" 400 " in answer.splitlines()[0]
    assert conversation_count(live, bearer) == 0


def test_a_content_length_with_a_chunked_body_does_not_smuggle_a_request(live: Live, bearer: dict[str, str]) -> None:
    """Request smuggling needs a proxy and a server that find different ends of the same body."""
    head = request("POST", CONVERSATIONS, bearer, length=4, Transfer_Encoding="chunked")
    answers = live.raw(head + b"2\r\n{}\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answers.count(b"HTTP/1.1") <= 2
    assert b" 400 " in answers.splitlines()[0] or b" 201 " in answers.splitlines()[0]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "application/xml", "junk", "application/json-patch+json"])  # fmt: skip
def test_another_content_type_is_a_415(kind: str, live: Live, bearer: dict[str, str]) -> None:
    answer = live.call("POST", CONVERSATIONS, b'{"title": "x"}', **bearer, Content_Type=kind)
    assert_refused(answer, 415, "unsupported_media_type")
    assert conversation_count(live, bearer) == 0


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_the_json_content_type_can_have_parameters_and_capitals(kind: str, live: Live, bearer: dict[str, str]) -> None:
    assert live.call("POST", CONVERSATIONS, b'{"title": "x"}', **bearer, Content_Type=kind).status == 201


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"\x00", b'"\xed\xa0\x80"', b"[" * 100_000, b"{}{}", b"\x1f\x8b\x08\x00", b"a=b"]
)
def test_a_body_that_is_not_json_is_a_400(body: bytes, live: Live, bearer: dict[str, str]) -> None:
    assert_refused(live.call("POST", CONVERSATIONS, body, **bearer), 400, "invalid_json")


def test_a_client_that_expects_100_continue_gets_it(live: Live, bearer: dict[str, str]) -> None:
    with socket.create_connection(("localhost", live.port), timeout=10) as connection:
        connection.sendall(request("POST", CONVERSATIONS, bearer, length=2, Expect="100-continue"))
        assert b"100" in connection.recv(4096)
        connection.sendall(b"{}")
        assert b" 201 " in connection.recv(4096)


# --- Requests -----------------------------------------------------------------------------------------


def request(method: str, path: str, bearer: dict[str, str], *, length: Any = 0, **headers: str) -> bytes:
    """Return the bytes of the head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in {**bearer, **headers}.items()]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


@pytest.mark.parametrize("method", ["BREW", "PROPFIND", "TRACE", "CONNECT", "POSTS", "M-SEARCH"])
def test_an_unknown_method_is_a_405(method: str, live: Live, bearer: dict[str, str]) -> None:
    answer = live.call(method, CONVERSATIONS, **bearer)
    assert_refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_head_has_the_headers_of_get_and_no_body(live: Live, bearer: dict[str, str]) -> None:
    with live.connection() as connection:
        connection.request("GET", CONVERSATIONS, headers=bearer)
        length = read_response(connection).headers["Content-Length"]
        connection.request("HEAD", CONVERSATIONS, headers=bearer)
        answer: Any = read_response(connection)
        assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, length, b"")
        connection.request("GET", CONVERSATIONS, headers=bearer)
        assert read_response(connection).status == 200


def test_many_requests_share_a_connection(live: Live, bearer: dict[str, str]) -> None:
    with live.connection() as connection:
        for number in range(50):
            body = json.dumps({"title": str(number)})
            connection.request("POST", CONVERSATIONS, body, {**bearer, "Content-Type": "application/json"})
            answer = read_response(connection)
            assert answer.status == 201 and not answer.will_close
    assert len(json_body(live.call("GET", f"{CONVERSATIONS}?limit=100", **bearer))["results"]) == 50


@pytest.mark.parametrize(
    "path",
    ["/api/v1/%00/", "/api/v1/%ff/", "/api/v1/conversations/%2e%2e/", "/api/v1//conversations/", "/api/v1/%/",
     "/api/v1/conversations//", "/api/v1/CONVERSATIONS/", "/api/v1/conversations/%C3%A9/", "/api/", "/api/v2/",
     "/api/v1", "/api/v1/conversations/0190163d-8694-739b-aea5-966c26f8ad9g/", "/api/v1/conversations/%0d%0aX:y/"],
)  # fmt: skip
def test_an_unknown_path_is_a_404(path: str, live: Live, bearer: dict[str, str]) -> None:
    sent = request("GET", path, bearer, Connection="close")
    head, _, body = live.raw(sent).partition(b"\r\n\r\n")
    assert b" 404 " in head.splitlines()[0], head
    assert json.loads(body)["error"]["code"] == "not_found"


def test_a_route_accepts_a_body_whether_or_not_its_path_ends_with_a_slash(live: Live, bearer: dict[str, str]) -> None:
    for path in (CONVERSATIONS, CONVERSATIONS.rstrip("/")):
        answer = live.call("POST", path, b'{"title": "kept"}', **bearer)
        assert (answer.status, json_body(answer)["title"]) == (201, "kept")


def test_the_url_in_next_works_whether_or_not_the_path_ends_with_a_slash(live: Live, bearer: dict[str, str]) -> None:
    for _ in range(3):
        live.call("POST", CONVERSATIONS, b"{}", **bearer)
    for path in (CONVERSATIONS, CONVERSATIONS.rstrip("/")):
        following = json_body(live.call("GET", f"{path}?limit=2", **bearer))["next"]
        base = f"http://localhost:{live.port}"
        assert following.startswith(f"{base}{path}?")
        assert len(json_body(live.call("GET", following.removeprefix(base), **bearer))["results"]) == 1


@pytest.mark.parametrize("host", ["evil.example", "a b", "", "localhost\\@x", "é"])
def test_an_unknown_host_is_a_400(host: str, live: Live, bearer: dict[str, str]) -> None:
    sent = request("GET", CONVERSATIONS, {**bearer, "Connection": "close"}).replace(
        b"Host: localhost", b"Host: " + host.encode()
    )
    answer = live.raw(sent)
    assert b" 400 " in answer.splitlines()[0]
    assert b"Traceback" not in answer and b"ALLOWED_HOSTS" not in answer


@pytest.mark.parametrize("kind", ["text/html", "text/event-stream", "application/xml", "junk"])
def test_a_client_that_does_not_accept_json_gets_a_406_in_json(kind: str, live: Live, bearer: dict[str, str]) -> None:
    assert_refused(live.call("GET", CONVERSATIONS, **bearer, Accept=kind), 406, "not_acceptable")


@pytest.mark.parametrize("kind", ["*/*", "application/*", "text/html, */*;q=0.1", "application/json;q=0.5"])
def test_a_client_that_accepts_json_among_other_types_gets_json(kind: str, live: Live, bearer: dict[str, str]) -> None:
    answer = live.call("GET", CONVERSATIONS, **bearer, Accept=kind)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("secret", ["é", "\xff", "a\tb", "x" * 7_000, "", "cs_ cs_"])
def test_a_malformed_token_is_a_401(secret: str, live: Live) -> None:
    answer = live.call("GET", CONVERSATIONS, Authorization=f"Bearer {secret}")
    assert_refused(answer, 401, "authentication_failed")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_headers_that_are_too_long_are_refused(live: Live) -> None:
    answer = live.raw(request("GET", CONVERSATIONS, {"X": "x" * 100_000}))
    assert answer.split()[1] in (b"400", b"431")


def test_the_server_survives_bytes_that_are_not_http(live: Live) -> None:
    for junk in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"\0" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"x" * 10_000,
        b"\r\n\r\n",
    ):
        live.raw(junk)
    assert live.call("GET", "/livez").status == 200


def test_clients_that_disconnect_during_a_request_do_not_affect_others(live: Live, bearer: dict[str, str]) -> None:
    for _ in range(10):
        with socket.create_connection(("localhost", live.port), timeout=10) as connection:
            connection.sendall(request("POST", CONVERSATIONS, bearer, length=1_000) + b'{"title":')
    assert live.call("GET", CONVERSATIONS, **bearer).status == 200
    assert conversation_count(live, bearer) == 0


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
def test_an_idempotency_key_must_have_1_to_255_characters(key: str, live: Live, bearer: dict[str, str]) -> None:
    answer = live.call("POST", CONVERSATIONS, b"{}", **bearer, Idempotency_Key=key)
    assert_refused(answer, 400, "invalid")
    assert conversation_count(live, bearer) == 0


def test_an_unknown_page_outside_the_api_is_an_html_404(live: Live) -> None:
    answer = live.call("GET", "/no/such/page")
    assert answer.status == 404 and answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/static/admin/css/base.css", "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css"]
)
def test_the_static_files_of_the_admin_and_the_api_documents_are_served(path: str, live: Live) -> None:
    answer = live.call("GET", path)
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/css")


# --- Concurrent requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "body"),
    [({"Idempotency_Key": "k"}, {}), ({}, {"external_id": "x"}), ({"Idempotency_Key": "k"}, {"external_id": "y"})],
)
def test_only_one_of_many_concurrent_equal_requests_is_carried_out(
    header: Any, body: Any, live: Live, bearer: dict[str, str]
) -> None:
    sent = json.dumps(body).encode()
    answers = run_concurrently(*[lambda: live.call("POST", CONVERSATIONS, sent, **bearer, **header)] * 8, connect=False)
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({json_body(answer)["id"] for answer in answers}) == 1
    assert conversation_count(live, bearer) == 1


def test_concurrent_appends_are_each_stored_once(live: Live, bearer: dict[str, str]) -> None:
    path = f"{CONVERSATIONS}{json_body(live.call('POST', CONVERSATIONS, b'{}', **bearer))['id']}/messages/"
    one = json.dumps({"role": "user", "content": "x", "external_id": "same"}).encode()
    other = json.dumps([{"role": "user", "content": "y"}] * 3).encode()
    same = [lambda: live.call("POST", path, one, **bearer, Idempotency_Key="k")] * 4
    answers = run_concurrently(*same, connect=False)
    answers += run_concurrently(*[lambda: live.call("POST", path, other, **bearer)] * 6, connect=False)
    assert sorted(answer.status for answer in answers) == [200] * 3 + [201] * 7
    rows = json_body(live.call("GET", path, **bearer))["results"]
    assert [row["seq"] for row in rows] == list(range(1, 20))
    assert [row["parent_seq"] for row in rows] == [None, *range(1, 19)]


def test_concurrent_different_requests_with_one_idempotency_key_conflict(live: Live, bearer: dict[str, str]) -> None:
    titles = iter("abcdefgh")
    lock = threading.Lock()

    def post() -> Any:
        with lock:
            body = json.dumps({"title": next(titles)}).encode()
        return live.call("POST", CONVERSATIONS, body, **bearer, Idempotency_Key="k")

    statuses = sorted(answer.status for answer in run_concurrently(*[post] * 8, connect=False))
    assert statuses == [201] + [409] * 7
    assert conversation_count(live, bearer) == 1
