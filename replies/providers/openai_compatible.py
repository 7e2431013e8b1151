"""Any service that speaks OpenAI's chat completions, through OpenAI's own package."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from chatstore import strict_json
from chatstore.errors import Invalid, ProviderError

from .answers import Answer

logger = logging.getLogger(__name__)
REASON_LENGTH = 64
NO_COMPLETION = gettext_noop("answered with something that is not a chat completion")


@dataclass(frozen=True)
class OpenAICompatible:
    name: str
    base_url: str
    api_key: str
    model: str  # by its name at the provider

    def complete(self, messages: Sequence[dict[str, str]]) -> Answer:
        return self._answer(self._ask(messages))

    def _ask(self, messages: Sequence[dict[str, str]]) -> Any:
        from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

        client = _client(self.base_url, self.api_key)
        try:
            return client.chat.completions.create(model=self.model, messages=messages)
        except APITimeoutError:
            raise self._failed(f"did not answer within {settings.PROVIDER_TIMEOUT} seconds") from None
        except APIConnectionError:
            raise self._failed(gettext_noop("cannot be reached")) from None
        except APIStatusError as error:
            raise self._failed(gettext_noop("answered with the status {status}"), status=error.status_code) from None
        except (OpenAIError, ValueError):
            raise self._failed(NO_COMPLETION) from None

    def _answer(self, made: Any) -> Answer:
        try:
            choice = made.choices[0]
            text = choice.message.content
        except (AttributeError, IndexError, TypeError):  # the package checks nothing that it reads
            text = None
        if not isinstance(text, str):
            raise self._failed(NO_COMPLETION)
        return Answer(_storable(text), _reason(choice), *_costs(made))

    def _failed(self, how: str, **more: object) -> ProviderError:
        logger.warning("the model %s at %s %s", self.name, self.base_url, how.format(**more))
        message = gettext("The model '{name}' {how}. Your message is kept.")
        return ProviderError(message.format(name=self.name, how=gettext(how).format(**more)))


@cache
def _client(base_url: str, api_key: str) -> Any:
    from openai import OpenAI  # takes half a second to import: only where it is used

    # Without a key the package looks for one in the environment. What failed is its caller's to ask again: a thread
    # would wait meanwhile.
    return OpenAI(
        base_url=base_url,
        api_key=api_key or "none",
        timeout=settings.PROVIDER_TIMEOUT,
        max_retries=0,
        http_client=_http_client(),
    )


def _http_client() -> Any:
    """Return the package's own client, with a limit on the time of a whole answer."""
    from httpx2 import ReadTimeout, SyncByteStream
    from openai import DefaultHttpxClient

    class Until(SyncByteStream):
        """A body that has to be complete at a time. The package's own timeout is for each read: a provider that sends
        a byte now and then would hold a thread for ever."""

        def __init__(self, body: Any, deadline: float) -> None:
            self.body, self.deadline = body, deadline

        def __iter__(self) -> Iterator[bytes]:
            for piece in self.body:
                if time.monotonic() > self.deadline:
                    raise ReadTimeout("The answer took too long.")
                yield piece

        def close(self) -> None:
            self.body.close()

    class Client(DefaultHttpxClient):
        def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
            deadline = time.monotonic() + settings.PROVIDER_TIMEOUT
            response = super().send(request, stream=True, **options)
            response.stream = Until(response.stream, deadline)
            if not stream:
                try:
                    response.read()
                finally:
                    response.close()
            return response

    return Client(timeout=settings.PROVIDER_TIMEOUT)


# An answer that is there is not lost for what stands beside it: what of that cannot be stored is left out.


def _reason(choice: Any) -> str:
    reason = getattr(choice, "finish_reason", None)
    return _storable(reason)[:REASON_LENGTH] if isinstance(reason, str) else ""


def _costs(made: Any) -> tuple[int | None, int | None, dict[str, Any] | None]:
    usage: Any = getattr(made, "usage", None)
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
    """PostgreSQL stores neither NUL nor half of a surrogate pair; and what is longer than a message may be, a client
    could not send back."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    return text.encode()[: settings.CONTENT_LIMIT].decode(errors="ignore")
