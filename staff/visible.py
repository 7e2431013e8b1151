"""Text that users wrote, as HTML in which characters without a shape are visible.

An override of the direction of writing makes a text look like another one. Spaces without width and tags hide text.
"""

import json
import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# Controls except tab and line breaks; embeddings, overrides and isolates of the direction; spaces without width; tags.
# The joiners U+200C and U+200D, and the marks U+200E and U+200F, are left: scripts and emoji need them.
SHAPELESS = re.compile(
    "([\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f])\\1*"
)
# Signs that stand on a letter, such as accents. More than four on one letter (zalgo) cover the lines around it.
SIGNS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
STACKED = re.compile(f"([{SIGNS}]{{4}})[{SIGNS}]+")


def visible(text: object) -> SafeString:
    """Escape a text and apply `show_codes`."""
    return show_codes(escape(str(text)))


def show_codes(html: str) -> SafeString:
    """Show the code of each character without a shape, and only the first four signs on a letter.

    The attributes of the HTML must not contain such characters."""
    return mark_safe(STACKED.sub(r"\1", SHAPELESS.sub(_code, html)))


def escape_codes(json_text: str) -> str:
    """Replace each character without a shape in a JSON text by its JSON escape, such as \\u202e."""
    return SHAPELESS.sub(lambda found: json.dumps(found[0])[1:-1], json_text)


def _code(found: re.Match[str]) -> str:
    run = found[0]
    times = f" ×{len(run)}" if len(run) > 1 else ""
    return f"<i>U+{ord(run[0]):04X}{times}</i>"
