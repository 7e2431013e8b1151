"""Provider for any service with OpenAI's chat completions API, through OpenAI's own package."""

import json
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext

# django.utils.translation.gettext_noop reads the settings, and the settings import this module.
from django.utils.translation.trans_null import gettext_noop

from chatstore import strict_json
from chatstore.errors import Invalid, ProviderError

from .answers import Answer, Piece, Pieces

logger = logging.getLogger(__name__)
REASON_LENGTH = 64
NO_COMPLETION = gettext_noop("answered with something that is not a chat completion")
INCOMPLETE = gettext_noop("did not send a complete answer")
TOO_SLOW = gettext_noop("did not answer within {seconds} seconds")
UNFINISHED = gettext_noop("did not finish its answer within {seconds} seconds")


@dataclass(frozen=True)
class OpenAICompatible:
    name: str
    base_url: str
    model: str  # the provider's name for the model
    api_key: str = ""

    def __post_init__(self) -> None:
        if not _is_http_url(self.base_url):
            raise ImproperlyConfigured(f"The base_url of the model {self.name!r} is not an http or https URL.")
        if not self.api_key.isascii():
            raise ImproperlyConfigured(f"The api_key of the model {self.name!r} has characters that no key can have.")

    def complete(self, messages: Sequence[dict[str, str]]) -> Answer:
        return self._answer(self._ask(messages))

    def stream(self, messages: Sequence[dict[str, str]]) -> Pieces:
        is_complete = False
        with self._ask(messages, stream=True) as chunks:
            for chunk in self._read(chunks):
                choice = _first_choice(chunk)
                yield from _pieces(getattr(choice, "delta", None))
                is_complete = is_complete or bool(getattr(choice, "finish_reason", None))
        if not is_complete:  # the package reports no error if the connection ends early
            raise self._failed(INCOMPLETE)

    def _read(self, chunks: Any) -> Iterator[Any]:
        from openai import APITimeoutError, OpenAIError

        try:
            yield from chunks
        except APITimeoutError:
            raise self._failed(UNFINISHED, seconds=settings.PROVIDER_TIMEOUT) from None
        except (OpenAIError, ValueError):
            raise self._failed(INCOMPLETE) from None

    def _ask(self, messages: Sequence[dict[str, str]], **options: bool) -> Any:
        from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

        client = _client(self.base_url, self.api_key)
        try:
            return client.chat.completions.create(model=self.model, messages=messages, **options)
        except APITimeoutError:
            raise self._failed(TOO_SLOW, seconds=settings.PROVIDER_TIMEOUT) from None
        except APIConnectionError:
            raise self._failed(gettext_noop("cannot be reached")) from None
        except APIStatusError as error:
            raise self._failed(gettext_noop("answered with the status {status}"), status=error.status_code) from None
        except (OpenAIError, ValueError):
            raise self._failed(NO_COMPLETION) from None

    def _answer(self, completion: Any) -> Answer:
        try:
            choice = completion.choices[0]
            text = choice.message.content
        except (AttributeError, IndexError, TypeError):  # the package does not validate responses
            text = None
        if not isinstance(text, str):
            raise self._failed(NO_COMPLETION)
        return Answer(_storable(text), _reason(choice), *_costs(completion))

    def _failed(self, how: str, **values: object) -> ProviderError:
        logger.warning("the model %s at %s %s", self.name, self.base_url, how.format(**values))
        message = gettext("The model '{name}' {how}.")
        return ProviderError(message.format(name=self.name, how=gettext(how).format(**values)))


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # for example, the port is not a number
        return False


@cache
def _client(base_url: str, api_key: str) -> Any:
    from openai import OpenAI  # the import takes half a second, so it is not at the top

    # If the api_key is empty, the package reads one from the environment; "none" prevents this. Retries are off: they
    # would keep a thread waiting, and the client can send the question again.
    return OpenAI(
        base_url=base_url,
        api_key=api_key or "none",
        timeout=settings.PROVIDER_TIMEOUT,
        max_retries=0,
        http_client=_http_client(),
    )


def _http_client() -> Any:
    """Return an HTTP client for the openai package. It waits at most PROVIDER_TIMEOUT for a whole answer."""
    from httpx2 import ReadTimeout, SyncByteStream, TransportError
    from openai import DefaultHttpxClient

    class Until(SyncByteStream):
        """A response body with a deadline. The package's timeout limits each read, not the whole answer, so a provider
        that sends a byte now and then would occupy a thread for ever. At the deadline, a timer ends the connection, and
        with it a read that waits."""

        def __init__(self, response: Any, deadline: float) -> None:
            self.body, self.deadline = response.stream, deadline
            self.timer = Timer(deadline - time.monotonic(), _disconnect, [response])
            self.timer.daemon = True
            self.timer.start()

        def __iter__(self) -> Iterator[bytes]:
            try:
                yield from self.body
            except TransportError:
                self.check()
                raise
            self.check()  # an early end is no error if the response does not declare its length

        def check(self) -> None:
            if time.monotonic() >= self.deadline:
                raise ReadTimeout("The answer took too long.")

        def close(self) -> None:
            self.timer.cancel()
            self.body.close()

    class Client(DefaultHttpxClient):
        def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
            deadline = time.monotonic() + settings.PROVIDER_TIMEOUT
            response = super().send(request, stream=True, **options)
            response.stream = Until(response, deadline)
            if not stream:
                try:
                    response.read()
                finally:
                    response.close()
            return response

    return Client(timeout=settings.PROVIDER_TIMEOUT)


def _disconnect(response: Any) -> None:
    with suppress(OSError):  # the connection has ended already
        response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)


# The package does not validate chunks. Those without a text are skipped, such as the one that reports the usage.


def _first_choice(chunk: Any) -> Any:
    choices = getattr(chunk, "choices", None)
    return choices[0] if isinstance(choices, list) and choices else None


def _pieces(delta: Any) -> Iterator[Piece]:
    thinking = _text(delta, "reasoning_content") or _text(delta, "reasoning")  # some providers send both, with one text
    if thinking:
        yield Piece(thinking, is_thinking=True)
    if text := _text(delta, "content"):
        yield Piece(text)


def _text(delta: Any, field: str) -> str:
    value = getattr(delta, field, None)
    return _storable(value) if isinstance(value, str) else ""


# The functions below keep an answer whose metadata is malformed. They drop the metadata that cannot be stored.


def _reason(choice: Any) -> str:
    reason = getattr(choice, "finish_reason", None)
    return _storable(reason)[:REASON_LENGTH] if isinstance(reason, str) else ""


def _costs(completion: Any) -> tuple[int | None, int | None, dict[str, Any] | None]:
    """Return the prompt tokens, the completion tokens and the usage report. Each is None if it cannot be stored."""
    usage: Any = getattr(completion, "usage", None)
    if not hasattr(usage, "to_dict"):
        return None, None, None
    reported = usage.to_dict(warnings=False)
    return _count(reported.get("prompt_tokens")), _count(reported.get("completion_tokens")), _as_reported(reported)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def _as_reported(usage: dict[str, Any]) -> dict[str, Any] | None:
    try:
        strict_json.loads(json.dumps(usage).encode())
    except (Invalid, ValueError):
        return None
    return usage


def _storable(text: str) -> str:
    """Replace the characters that PostgreSQL cannot store (NUL, surrogates), and cut the text to CONTENT_LIMIT bytes.
    Clients send whole histories back, and a longer text would be refused."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    return text.encode()[: settings.CONTENT_LIMIT].decode(errors="ignore")
