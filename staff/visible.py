"""Text that users wrote, as HTML in which characters without a shape are visible.

An override of the direction of writing makes a text look like another one. Spaces without width and tags hide text.
"""

import json
import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# Controls but tab and line breaks; embeddings, overrides and isolates of the direction; spaces without width; tags.
# The joiners U+200C and U+200D, and the marks U+200E and U+200F, are left: scripts and emoji need them.
SHAPELESS = re.compile(
    "([\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f])\\1*"
)
# More than four signs on one letter (zalgo) grow over the lines around it.
STACKED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def visible(text: object) -> SafeString:
    """Escape a text, and show the code of each character that has no shape."""
    return show_codes(escape(str(text)))


def show_codes(html: str) -> SafeString:
    """Show the code of each character without a shape. The attributes of the HTML must not contain such characters."""
    return mark_safe(STACKED.sub(r"\1", SHAPELESS.sub(_code, html)))


def escape_codes(json_text: str) -> str:
    """Escape each character without a shape in a JSON text, as JSON does it."""
    return SHAPELESS.sub(lambda found: json.dumps(found[0])[1:-1], json_text)


def _code(found: re.Match[str]) -> str:
    run = found[0]
    times = f" ×{len(run)}" if len(run) > 1 else ""
    return f"<i>U+{ord(run[0]):04X}{times}</i>"
