"""Pages of the messages of a conversation, forwards and backwards.

A cursor is the `seq` at one end of a page, so each page is one range of an index, at any position."""

import uuid
from typing import Any

import orjson
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework import serializers

from accounts.api.base import Request
from chatstore.api import pagination
from chatstore.api.responses import bool_param
from chatstore.api.schema import CURSOR, paged
from chatstore.errors import Conflict, NotFound
from chatstore.ids import parse_uuid
from conversations.models import Message

from .serializers import MessageSerializer, TreeMessageSerializer

END = 2**31 - 1  # larger than the `seq` of any message
PAGE_SIZE = pagination.page_size(default=100, most=1_000)
ALL = OpenApiParameter("all", bool, description="List the messages of every branch, not only of the active path.")
AT = OpenApiParameter(
    "at",
    {"anyOf": [{"type": "string", "enum": ["end"]}, {"type": "string", "format": "uuid"}]},
    description="The page to read: `end` for the last page, or the id of a message for a page around it. The default "
    "is the first page. Without `all`, a message on another branch gets a 409: display its branch first.",
)
PAGE_PARAMETERS = [PAGE_SIZE.parameter, CURSOR, ALL]


def _described(name: str, serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    return paged(name, serializer, previous=serializers.URLField(allow_null=True))


PAGE = PolymorphicProxySerializer(
    "MessagePageOrTreePage",
    serializers=[_described("MessagePage", MessageSerializer), _described("TreePage", TreeMessageSerializer)],
    resource_type_field_name=None,
    many=False,
)


class MessagePages:
    """Reads one page of the messages of a conversation, as a request asks for it."""

    def __init__(self, request: Request, conversation_id: uuid.UUID) -> None:
        self.request, self.conversation_id = request, conversation_id
        self.limit = PAGE_SIZE.read(request)
        self.is_tree = bool_param(request, "all")
        self.cursor_kind = f"messages-{conversation_id}"

    def read(self, at: str | None = None) -> dict[str, Any]:
        """Return the body of the page. `at` is "end" or the id of a message; otherwise the cursor decides.

        Raises NotFound, Conflict if the message is on another branch, and ValidationError."""
        if at is None:
            seq, is_before = pagination.read_cursor(self.request, self.cursor_kind, _position) or (0, False)
            return self._before(seq) if is_before else self._after(seq)
        if "cursor" in self.request.query_params:
            raise serializers.ValidationError({"at": [gettext("Send only one of cursor and at.")]})
        return self._before(END) if at == "end" else self._around(self._seq_of(at))

    def _after(self, seq: int) -> dict[str, Any]:
        texts, has_next = self._read_after(seq, self.limit)
        return self._page(texts, previous=seq + 1 if seq else None, next=_seq(texts[-1]) if has_next else None)

    def _before(self, seq: int) -> dict[str, Any]:
        texts, has_previous = self._read_before(seq, self.limit)
        previous = _seq(texts[-1]) if has_previous else None
        return self._page(texts[::-1], previous=previous, next=seq - 1 if seq < END else None)

    def _around(self, seq: int) -> dict[str, Any]:
        """Return a page that contains the message. At most half of the limit comes before it."""
        older, has_previous = self._read_before(seq, self.limit // 2, fraction=0.5)
        newer, has_next = self._read_after(seq - 1, self.limit - len(older), fraction=0.5)
        first = _seq(older[-1]) if older else seq
        return self._page(
            [*older[::-1], *newer],
            previous=first if has_previous else None,
            next=_seq(newer[-1]) if has_next else None,
        )

    def _read_after(self, seq: int, limit: int, fraction: float = 1) -> tuple[list[str], bool]:
        read = Message.objects.tree if self.is_tree else Message.objects.transcript
        texts = read(self.request.user, self.conversation_id, after=seq, limit=limit + 1, fraction=fraction)
        return pagination.cut(texts_or_404(texts), limit)

    def _read_before(self, seq: int, limit: int, fraction: float = 1) -> tuple[list[str], bool]:
        read = Message.objects.tree_before if self.is_tree else Message.objects.transcript_before
        texts = read(self.request.user, self.conversation_id, before=seq, limit=limit + 1, fraction=fraction)
        return pagination.cut(texts_or_404(texts), limit)

    def _seq_of(self, at: str) -> int:
        id = parse_uuid(at)
        if id is None:
            raise serializers.ValidationError({"at": [gettext("Must be end or the id of a message.")]})
        owned = Message.objects.owned_by(self.request.user).in_live_conversations()
        row = owned.filter(id=id, conversation=self.conversation_id).values_list("seq", "is_active").first()
        if row is None:
            raise NotFound("message in this conversation")
        seq, is_active = row
        if not (is_active or self.is_tree):
            message = gettext("This message is on another branch. Display its branch first.")
            raise Conflict(message, field="at")
        return int(seq)

    def _page(self, texts: list[str], *, previous: int | None, next: int | None) -> dict[str, Any]:
        """Return the body of a page. The previous page ends before the message `previous`, and the next begins after
        the message `next`."""
        return {
            "results": [orjson.Fragment(text) for text in texts],
            "next": None if next is None else self._url([next]),
            "previous": None if previous is None else self._url([previous, "before"]),
        }

    def _url(self, key: list[Any]) -> str:
        return pagination.next_url(self.request, pagination.encode(self.cursor_kind, key))


def _position(seq: Any, direction: str = "after") -> tuple[int, bool]:
    """Return the `seq` of a cursor, and whether the page ends before it instead of beginning after it."""
    if type(seq) is not int or not 0 <= seq < 2**31 or direction not in ("after", "before"):
        raise ValueError(seq)
    return seq, direction == "before"


def _seq(text: str) -> int:
    return int(orjson.loads(text)["seq"])


def texts_or_404(texts: list[str] | None) -> list[str]:
    if texts is None:
        raise NotFound("conversation")
    return texts
