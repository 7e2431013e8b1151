"""Requests and responses over HTTP: what arrives in the WSGI application, and what the client gets."""

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from testing.live_server import json_body
from testing.serving_wsgi import LARGE, PIECE

from .server import Server, echoed, head, read_to_end, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def get(path: str, *lines: str) -> bytes:
    return head(f"GET {path}", "Connection: close", *lines)


# --- The environ ----------------------------------------------------------------------------------


def test_the_application_gets_the_variables_of_cgi(server: Server) -> None:
    environ = echoed(server.raw(get("/echo?a=b&a=%20", "Content-Type: text/x")))
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"] == "/echo"
    assert environ["QUERY_STRING"] == "a=b&a=%20"
    assert environ["CONTENT_TYPE"] == "text/x"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["SERVER_PORT"] == str(server.port)
    assert environ["REMOTE_ADDR"] in ("127.0.0.1", "::1")
    assert environ["HTTP_HOST"] == "localhost"
    assert environ["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("/a%20b/echo", "/a b/echo"),
        ("/%C3%A9/echo", "/\xc3\xa9/echo"),
        ("/%ff/echo", "/\xff/echo"),
        ("/a%2Fb/echo", "/a/b/echo"),
        ("/%/echo", "/%/echo"),
        ("//double/echo", "//double/echo"),
        ("http://localhost/whole/echo", "/whole/echo"),
        ("http://localhost", "/"),
    ],
)
def test_path_info_is_the_decoded_path_in_latin_1(sent: str, path: str, server: Server) -> None:
    assert echoed(server.raw(get(sent)))["PATH_INFO"] == path


def test_repeated_headers_are_joined(server: Server) -> None:
    assert echoed(server.raw(get("/echo", "X-Word: a", "x-word: b")))["HTTP_X_WORD"] == "a,b"


def test_header_values_are_latin_1(server: Server) -> None:
    request = get("/echo", "X-Word: #").replace(b"#", b"\xe9\xff")
    assert echoed(server.raw(request))["HTTP_X_WORD"] == "\xe9\xff"


def test_a_header_with_an_underscore_cannot_imitate_one_with_a_hyphen(server: Server) -> None:
    environ = echoed(server.raw(get("/echo", "X_Act_As: eve", "X-Other: 1")))
    assert "HTTP_X_ACT_AS" not in environ and environ["HTTP_X_OTHER"] == "1"


def test_headers_cannot_set_the_script_name_or_the_address(server: Server) -> None:
    environ = echoed(server.raw(get("/echo", "Script_Name: /x", "Remote-Addr: 1.2.3.4", "Path_Info: /y")))
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/echo")
    assert environ["REMOTE_ADDR"] != "1.2.3.4"


def test_a_websocket_upgrade_is_an_ordinary_request(server: Server) -> None:
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    answer = server.raw(head("GET /echo", "Connection: Upgrade", *upgrade))
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["echo", "large", "pieces?number=3", "file"])
def test_requests_and_responses_follow_the_rules_of_wsgi(method: str, path: str, server: Server) -> None:
    """wsgiref.validate raises if they do not; this would be a 500."""
    assert server.call(method, f"/validated/{path}", b"body").status == 200


def test_a_chunked_request_follows_the_rules_of_wsgi(server: Server) -> None:
    answer = server.call("POST", "/validated/echo", iter([b"a", b"b"]))
    assert (answer.status, json_body(answer)["body"]) == (200, "ab")


# --- Bodies ---------------------------------------------------------------------------------------


def test_a_chunked_body_arrives_with_its_length(server: Server) -> None:
    chunks = b"1\r\na\r\n3;name=value\r\nbcd\r\n0\r\nX-Trailer: x\r\n\r\n"
    environ = echoed(server.raw(head("POST /echo", "Transfer-Encoding: chunked", "Connection: close") + chunks))
    assert (environ["body"], environ["CONTENT_LENGTH"]) == ("abcd", "4")
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_an_empty_chunked_body_has_the_length_0(server: Server) -> None:
    environ = echoed(server.raw(head("POST /echo", "Transfer-Encoding: chunked", "Connection: close") + b"0\r\n\r\n"))
    assert (environ["body"], environ["CONTENT_LENGTH"]) == ("", "0")


def test_a_body_of_many_packets_arrives_whole(server: Server) -> None:
    body = bytes(range(256)) * 2_000
    assert json_body(server.call("POST", "/echo", body))["body"].encode("latin-1") == body


def test_a_client_that_expects_100_continue_gets_it_before_it_sends_the_body(server: Server) -> None:
    with server.client() as client:
        client.sendall(head("POST /echo", "Expect: 100-continue", "Content-Length: 2", "Connection: close"))
        assert client.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ab")
        assert echoed(read_to_end(client))["body"] == "ab"


def test_a_body_above_the_limit_is_not_requested(server: Server) -> None:
    with server.client() as client:
        client.sendall(head("POST /echo", "Expect: 100-continue", "Content-Length: 50000000"))
        answer = read_to_end(client)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in answer
    assert (echoed(answer)["body"], echoed(answer)["CONTENT_LENGTH"]) == ("", "50000000")


@pytest.mark.parametrize("framing", ["Content-Length: 1200000", "Transfer-Encoding: chunked"])
def test_the_application_gets_only_the_length_of_a_body_above_the_limit(framing: str, server: Server) -> None:
    """The next request on the connection is answered, too."""
    body = b"x" * 1_200_000
    if "chunked" in framing:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    answers = server.raw(head("POST /echo", framing) + body + get("/echo/next"))
    first, second = answers.split(b"HTTP/1.1 200 OK")[1:]
    assert echoed(first)["body"] == "" and int(echoed(first)["CONTENT_LENGTH"]) > 1_000_000
    assert echoed(second)["PATH_INFO"] == "/echo/next"


def test_a_body_that_does_not_arrive_in_full_cannot_be_read(server: Server) -> None:
    assert server.raw(head("POST /echo", "Content-Length: 10") + b"half").startswith(b"HTTP/1.1 500 ")


def test_a_chunked_body_without_its_end_is_not_answered(server: Server) -> None:
    assert server.raw(head("POST /echo", "Transfer-Encoding: chunked") + b"4\r\nhalf\r\n") == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        head("POST /echo", "Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        head("POST /echo", "Content-Length: 4", "Content-Length: 5") + b"abcd",
        head("POST /echo", "Content-Length: +4") + b"abcd",
        head("POST /echo", "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
        head("POST /echo", "Transfer-Encoding: xchunked") + b"0\r\n\r\n",
        head("POST /echo", "Transfer-Encoding: identity", "Content-Length: 4") + b"abcd",
        head("POST /echo", "Transfer-Encoding : chunked") + b"0\r\n\r\n",
        head("POST /echo", " Content-Length: 4") + b"abcd",
        head("POST /echo", "Transfer-Encoding: chunked") + b"-1\r\n\r\n",
        head("POST /echo", "Transfer-Encoding: chunked") + b"0x4\r\nabcd\r\n0\r\n\r\n",
        head("POST /echo", "Transfer-Encoding: chunked") + b"4 \r\nabcd\r\n0\r\n\r\n",
        head("POST /echo", "Transfer-Encoding: chunked") + b"4\r\nabcdef\r\n0\r\n\r\n",
        head("POST /echo", "Transfer-Encoding: chunked") + b"4;a\nb\r\nabcd\r\n0\r\n\r\n",
        head("GET /echo", "Host: other"),
        b"GET /echo HTTP/1.1\nHost: localhost\n\n",
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: a\nY: b\r\n\r\n",
        b"GET /echo\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET  /echo HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_a_request_with_an_ambiguous_end_is_refused_and_nothing_after_it_is_read(
    request_bytes: bytes, server: Server
) -> None:
    answer = server.raw(request_bytes + get("/echo/smuggled"))
    assert b"smuggled" not in answer
    assert answer == b"" or answer.split()[1] in (b"400", b"501")
    assert not answer or b"Connection: close" in answer or b" 500 " in answer


# --- Responses ------------------------------------------------------------------------------------


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    answers = server.raw(head("GET /echo/1") + head("GET /echo/2") + get("/echo/3"))
    paths = [echoed(answer)["PATH_INFO"] for answer in answers.split(b"HTTP/1.1 200 OK")[1:]]
    assert paths == ["/echo/1", "/echo/2", "/echo/3"]


def test_many_pipelined_requests_are_all_answered_and_few_wait_in_memory(server: Server) -> None:
    """The client sends 8 MB of requests without a pause. The server reads them as fast as it answers them."""
    padding = [f"X-{number}: {'x' * 8_000}" for number in range(2)]
    sent = b"".join(head(f"GET /sleep/{number}/echo", *padding) for number in range(500)) + get("/echo/last")
    waiting = []
    with server.client() as client, ThreadPoolExecutor() as pool:
        sending = pool.submit(client.sendall, head("GET /sleep?seconds=0.5") + sent)
        answer = pool.submit(read_to_end, client)
        while not answer.done():
            waiting.append(json_body(server.call("GET", "/buffered")))
        sending.result()
    numbers = re.findall(rb'"PATH_INFO": "/(?:sleep|echo)/(\w+)', answer.result())
    assert numbers == [*(b"%d" % number for number in range(500)), b"last"]
    assert max(waiting) < 150_000 and len(waiting) > 3


def test_a_client_that_has_closed_its_side_gets_the_answers(server: Server) -> None:
    """Live.raw closes its side directly after the requests."""
    answers = server.raw(head("GET /sleep?seconds=0.3") + head("GET /echo/last"))
    assert answers.count(b"HTTP/1.1 200 OK") == 2 and b"/echo/last" in answers


@pytest.mark.parametrize("path", ["/echo", "/large", "/pieces?number=100", "/file", "/stream?number=100"])
def test_head_has_no_body_and_the_connection_stays_open(path: str, server: Server) -> None:
    closed = server.state("pieces closed")
    with server.connection() as connection:
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.request("GET", "/echo")
        assert connection.getresponse().status == 200
    assert server.state("pieces closed") == closed  # a generator that has not begun runs no code


@pytest.mark.parametrize("path", ["/large", "/file"])
def test_large_contents_arrive_whole(path: str, server: Server) -> None:
    answer: Any = server.call("GET", path)
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(LARGE).digest()
    assert answer.headers["Content-Length"] == str(len(LARGE))


def test_pieces_arrive_whole_and_are_closed(server: Server) -> None:
    closed = server.state("pieces closed")
    answer: Any = server.call("GET", "/pieces?number=50")
    assert answer.body == PIECE * 50
    assert server.state("pieces closed") == closed + 1


def test_an_error_of_the_application_is_a_500(server: Server) -> None:
    assert server.call("GET", "/fail").status == 500


@pytest.mark.parametrize("path", ["/pieces?number=5&fails_at=3", "/stream?number=5&fails_at=3"])
def test_a_response_that_fails_in_the_middle_has_no_end(path: str, server: Server) -> None:
    answer = server.raw(head(f"GET {path}"))
    assert answer.startswith(b"HTTP/1.1 200 ") and not answer.endswith(b"0\r\n\r\n")


def test_a_connection_of_http_1_0_is_closed_after_the_response(server: Server) -> None:
    with server.client() as client:
        client.sendall(b"GET /pieces?number=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert read_to_end(client).endswith(b"\r\n\r\n" + PIECE * 2)


# --- Disconnects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"GET /ec", head("POST /echo", "Content-Length: 9") + b"ab", head("GET /large"),
                                  head("POST /echo", "Transfer-Encoding: chunked") + b"f\r\nab"])  # fmt: skip
def test_a_client_that_disconnects_at_any_moment_affects_nobody(sent: bytes, server: Server) -> None:
    for _ in range(5):
        with server.clients(5, sent):
            pass
    assert server.call("GET", "/echo").status == 200


def test_a_request_whose_client_disconnects_runs_to_its_end(server: Server) -> None:
    slept = server.state("slept")
    with server.clients(1, head("GET /sleep?seconds=0.5")):
        server.wait_for("sleeping", 1)
    server.wait_for("slept", slept + 1)


def test_pieces_are_closed_when_the_client_disconnects(server: Server) -> None:
    before, produced = server.state("pieces closed"), server.state("pieces")
    with server.clients(1, head("GET /pieces?number=100000"), receive=4_096) as (client,):
        client.recv(1_000)
    server.wait_for("pieces closed", before + 1)
    assert server.state("pieces") - produced < 200


def test_a_stream_is_closed_when_the_client_disconnects(server: Server) -> None:
    before = server.state("sources closed"), server.state("iterations ended")
    with server.clients(3, head("GET /stream?number=100&seconds=10")) as clients:
        for client in clients:
            assert client.recv(1_000)
    server.wait_for("sources closed", before[0] + 3)
    assert server.state("iterations ended") == before[1] + 3
