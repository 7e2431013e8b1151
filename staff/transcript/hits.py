"""The hits of a search in a conversation: the page marks the words, and steps from hit to hit."""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from chatstore.errors import Invalid
from conversations import search
from conversations.models import Conversation
from conversations.search.hits import find_hits
from staff.search import LONGEST, OWNER

# In HTML, the words are marked between the tags and the character references.
BETWEEN = re.compile(r"(<[^>]*>|&[#\w]+;)")


@dataclass(frozen=True)
class Hits:
    """The words of the search (`q`), the `seq` of the messages that match, and the one where the reader is."""

    q: str = ""
    seqs: tuple[int, ...] = ()
    at: int = 0
    pattern: re.Pattern[str] | None = None

    @property
    def previous(self) -> int | None:
        index = bisect_left(self.seqs, self.at)
        return self.seqs[index - 1] if index else None

    @property
    def next(self) -> int | None:
        index = bisect_right(self.seqs, self.at)
        return self.seqs[index] if index < len(self.seqs) else None

    @property
    def link(self) -> str:
        """Return the parameter that keeps the words in a link, or an empty text."""
        return "&" + urlencode({"q": self.q}) if self.q else ""

    def mark(self, html: SafeString) -> SafeString:
        """Return HTML with the words of the search in <mark>."""
        if self.pattern is None:
            return html
        pieces = BETWEEN.split(html)
        pieces[::2] = [self.pattern.sub(r"<mark>\g<0></mark>", text) for text in pieces[::2]]
        return mark_safe("".join(pieces))


def find(request: HttpRequest, conversation: Conversation, at: int) -> Hits:
    """Return the hits of the search in the parameter `q`. Runs one statement, but none without this parameter or for a
    page that is added to another one.

    There are no hits if they take too long to find, but the words are marked."""
    q = request.GET.get("q", "").replace("\0", " ").strip()[:LONGEST]
    query = search.parse(OWNER.sub(" ", q))
    if not q or not (query.wanted or query.roles or query.models or query.has):
        return Hits()
    pattern = search.typed_pattern(query)
    if "fragment" in request.GET:
        return Hits(q, pattern=pattern)
    try:
        seqs = find_hits(conversation, query, around=at)
    except Invalid:  # too slow
        seqs = []
    return Hits(q, tuple(seqs), at, pattern)
