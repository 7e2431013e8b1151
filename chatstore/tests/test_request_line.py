"""Limits of the length of a URL and of header fields, on a real web server."""

from urllib.parse import quote

from testing.live_server import Live, bearer, json_body, live

__all__ = ["bearer", "live"]  # fixtures
SEARCH = "/api/v1/search/?q="


def test_a_search_of_8_kb_in_the_url_is_answered(live: Live, bearer: dict[str, str]) -> None:
    answer = live.call("GET", SEARCH + quote("hills " * 1_400), **bearer)
    assert answer.status == 200
    assert json_body(answer) == {"conversations": [], "results": [], "next": None, "searched_since": None}


def test_a_search_of_8_kb_with_characters_of_three_bytes_is_answered(live: Live, bearer: dict[str, str]) -> None:
    answer = live.call("GET", SEARCH + quote("京都 " * 1_150), **bearer)
    assert answer.status == 200


def test_a_url_of_more_than_32_kb_is_refused(live: Live) -> None:
    assert live.raw(b"GET /?" + b"x" * 33_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 4")


def test_the_length_and_the_number_of_header_fields_are_limited(live: Live) -> None:
    start = b"GET /livez/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    assert live.raw(start + b"Cookie: " + b"x" * 8_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert live.raw(start + b"Cookie: " + b"x" * 9_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 4")
    assert live.raw(start + b"A: b\r\n" * 100 + b"\r\n").startswith(b"HTTP/1.1 4")
