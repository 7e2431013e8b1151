"""Requests to providers over HTTP, whose replies are server-sent events with JSON.

Hazards: the provider refuses, stalls, breaks off, or sends junk or more than fits into memory; its reader stops.

The packages of the providers send the requests. This module reads the bodies of the responses, because the packages
build objects from each event, which would take most of the time of a process with hundreds of replies. A line and a
reply have a maximum length. Each failure is a ProviderError with a message for the user. It has neither the address nor
the key of the provider nor its own message, in which a key can be.
"""

import asyncio
import json
import logging
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from types import ModuleType
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext

# django.utils.translation.gettext_noop reads the settings, and the settings import this module.
from django.utils.translation.trans_null import gettext_noop

from chatstore.errors import ProviderError

from .bounds import Bounds
from .deltas import Delta, Finish

logger = logging.getLogger(__name__)
INPUTS = {"text", "image", "file"}
ERROR_LENGTH = 64_000  # bytes of the body of an error that are read
DONE = b"[DONE]"  # the data of OpenAI's last event
MESSAGE_STOP = "message_stop"  # the type of Anthropic's last event

UNREACHABLE = gettext_noop("cannot be reached")
REFUSED = gettext_noop("answered with the status {status}")
NO_COMPLETION = gettext_noop("answered with something that is not a chat completion")
INCOMPLETE = gettext_noop("did not send a complete answer")
TOO_LONG = gettext_noop("sent a longer answer than chatstore stores")
REPORTED = gettext_noop("reported an error instead of the rest of its answer")
TOO_SLOW = gettext_noop("did not answer within {seconds} seconds")
STALLED = gettext_noop("sent nothing for {seconds} seconds")
# What a status means for the person who reads it.
MEANINGS = {
    400: gettext_noop("it does not accept the request"),
    401: gettext_noop("it does not accept the key that is configured"),
    402: gettext_noop("its account has no credit"),
    403: gettext_noop("it does not allow this to the key that is configured"),
    404: gettext_noop("it does not know the model or the address"),
    413: gettext_noop("the conversation is too long for it"),
    422: gettext_noop("it does not accept the request"),
    429: gettext_noop("it gets too many requests, or its quota is used up"),
    500: gettext_noop("it has an internal error"),
    502: gettext_noop("it is not available at the moment"),
    503: gettext_noop("it is not available at the moment"),
    504: gettext_noop("it is not available at the moment"),
    529: gettext_noop("it is overloaded"),
}


class Server(NamedTuple):
    """The configured model, as errors and logs name it."""

    name: str
    address: str

    def failed(self, how: str, meaning: str = "", **values: object) -> ProviderError:
        """Log the failure and return it as an error for the user."""
        logger.warning("the model %s at %s %s", self.name, self.address, how.format(**values))
        has_begun = how not in (UNREACHABLE, REFUSED)
        how = gettext(how).format(**values) + (f": {gettext(meaning)}" if meaning else "")
        message = gettext("The model '{name}' {how}.").format(name=self.name, how=how)
        return ProviderError(message, has_begun=has_begun)


class Broken(Exception):
    """The body of a response cannot be used. The argument says how the provider failed."""


class Reader(Protocol):
    """Turns the events of one reply into deltas."""

    def read(self, event: dict[str, Any]) -> Iterable[Delta]:
        """Return the deltas of an event. Raises Broken."""

    def finish(self) -> Finish | None:
        """Return the end of the reply, or None if no event has ended it."""


class Response(Protocol):
    """A response of the package of a provider."""

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


async def stream_deltas(
    opening: AbstractAsyncContextManager[Response], reader: Reader, server: Server, package: ModuleType
) -> AsyncGenerator[Delta]:
    """Send the request, and yield the deltas of its response. `package` is the one that sends it.

    Raises ProviderError. The exit of `opening` ends the request.
    """
    import aiohttp
    import httpx2

    bounds = Bounds()
    try:
        async with opening as response, aclosing(_read_events(response)) as events:
            async for event in events:
                for delta in reader.read(event):
                    yield bounds.cut(delta)
                    if bounds.exceeded:
                        raise Broken(TOO_LONG)
        if (finish := reader.finish()) is None:
            raise Broken(INCOMPLETE if bounds.used else NO_COMPLETION)
        yield finish
    except Broken as error:
        raise server.failed(str(error)) from None
    except package.APIStatusError as error:
        meaning = MEANINGS.get(error.status_code, "")
        raise server.failed(REFUSED, meaning, status=error.status_code) from None
    except package.APIConnectionError as error:
        how = TOO_SLOW if _timed_out(error) else UNREACHABLE
        raise server.failed(how, seconds=settings.PROVIDER_TIMEOUT) from None
    except aiohttp.ClientResponseError:  # the response is not HTTP
        raise server.failed(NO_COMPLETION) from None
    except (httpx2.HTTPError, aiohttp.ClientError, OSError) as error:
        how = STALLED if _timed_out(error) else INCOMPLETE
        raise server.failed(how, seconds=settings.PROVIDER_TIMEOUT) from None


def _timed_out(error: BaseException | None) -> bool:
    """Return whether a timeout caused the error. The packages also call other failed connections a timeout."""
    while error is not None and not isinstance(error, TimeoutError):
        error = error.__cause__
    return error is not None


async def _read_events(response: Response) -> AsyncGenerator[dict[str, Any]]:
    """Yield the events of a response. A response that is one JSON object, as some servers send, is one event.

    Raises Broken.
    """
    limit = 2 * settings.CONTENT_LIMIT + ERROR_LENGTH
    rest, is_object = bytearray(), False  # bytes would be copied whole with each piece of a long line
    async for data in response.iter_bytes():
        # The type that a response declares is not reliable. No line of events begins with a brace.
        is_object = is_object or (not rest and data.lstrip().startswith(b"{"))
        rest += data
        if not is_object and b"\n" in data:
            *lines, rest = rest.split(b"\n")
            for event in map(_event, lines):
                if event is DONE:
                    return
                if event:
                    yield event
                    if event.get("type") == MESSAGE_STOP:
                        return
        if len(rest) > limit:
            raise Broken(TOO_LONG)
    if (event := _parse(rest) if is_object else _event(rest)) and event is not DONE:
        yield event


def _event(line: bytearray) -> Any:
    if not line.startswith(b"data:"):
        return None
    data = line[5:].strip()
    return DONE if data == DONE else _parse(data)


def _parse(data: bytearray) -> Any:
    """Return the parsed object, or None if the JSON is no object. Raises Broken if it is not JSON."""
    try:
        value = orjson.loads(data)
    except ValueError:
        value = _parse_leniently(data)
    return value if isinstance(value, dict) else None


def _parse_leniently(data: bytearray) -> Any:
    """Parse JSON with lone surrogates, which orjson refuses: some servers split a character into two events."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Broken(NO_COMPLETION) from None


# --- Clients

_clients: dict[tuple[AbstractEventLoop, object], Any] = {}


def client(key: object, make: Callable[[], Any]) -> Any:
    """Return the client with this key of the running event loop. The first call makes it."""
    place = (asyncio.get_running_loop(), key)
    if place not in _clients:
        _clients[place] = make()
    return _clients[place]


async def close() -> None:
    """Close the clients of the running event loop and their connections. Call this before the loop ends."""
    loop = asyncio.get_running_loop()
    for place in [place for place in _clients if place[0] is loop]:
        await _clients.pop(place).close()


def client_options(api_key: str) -> dict[str, Any]:
    """Return the options of a client that the packages have in common, except the HTTP client."""
    # If the api_key is empty, the packages read one from the environment; "none" prevents this. Retries are off: the
    # user can send the question again. Compression would delay events, and hide the size of a response.
    return {"api_key": api_key or "none", "max_retries": 0, "default_headers": {"Accept-Encoding": "identity"}}


async def limit_error(response: Any) -> None:
    """Cut the body of an error, of which the packages read all. This is a hook of their HTTP clients."""
    from httpx2 import AsyncByteStream

    class Start(AsyncByteStream):
        def __init__(self, body: Any) -> None:
            self.body = body

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = ERROR_LENGTH
            async for data in self.body:
                yield data[:left]
                left -= len(data)
                if left <= 0:
                    return

        async def aclose(self) -> None:
            await self.body.aclose()

    if response.is_error:
        response.stream = Start(response.stream)


# --- Fields of routes


def check_route(name: str, base_url: str, api_key: str, input: str) -> None:
    """Raise ImproperlyConfigured if no server can have this URL, no key these characters, or no model this input."""
    if not _is_http_url(base_url):
        raise ImproperlyConfigured(f"The base_url of the model {name!r} is not an http or https URL.")
    if not (api_key.isascii() and api_key.isprintable()):
        raise ImproperlyConfigured(f"The api_key of the model {name!r} has characters that no key can have.")
    if unknown := {kind.strip() for kind in input.split(",")} - INPUTS:
        known = ", ".join(sorted(INPUTS))
        raise ImproperlyConfigured(f"The input {min(unknown)!r} of the model {name!r} is unknown; known are {known}.")


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # for example, the port is not a number
        return False
