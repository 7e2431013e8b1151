"""Code with its keywords, strings and comments marked, as HTML with classes."""

import re
from collections.abc import Iterable
from functools import cache
from itertools import groupby

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import Token, _TokenType

from staff.visible import visible

LONGEST = 10_000  # characters; longer code is not highlighted
# The time of some lexers grows with the square of the length of a line or of blank space: 6 s for 10,000 blank lines
# of Java. So code with a line of 1,000 characters, or with 200 blank characters in a row, is not highlighted.
SLOW = re.compile(r"[^\n]{1000}|\s{200}")
# The languages, each with the other names that people give it. Other languages are not highlighted, because a few of
# the hundreds of lexers are slow on hostile text.
LANGUAGES = {
    "bash": "sh shell zsh console",
    "c": "h",
    "cpp": "c++",
    "csharp": "c# cs",
    "css": "",
    "diff": "patch",
    "go": "golang",
    "html": "",
    "ini": "cfg",
    "java": "",
    "javascript": "js jsx",
    "json": "",
    "kotlin": "kt",
    "php": "",
    "python": "py python3",
    "ruby": "rb",
    "rust": "rs",
    "sql": "postgresql",
    "toml": "",
    "typescript": "ts tsx",
    "xml": "svg",
    "yaml": "yml",
}
LEXERS = {name: lexer for lexer, names in LANGUAGES.items() for name in (lexer, *names.split())}
# The CSS class of each kind of token. A missing kind has the class of its parent. transcript.css has the colours.
CLASSES: dict[_TokenType, str] = {
    Token: "",
    Token.Comment: "c",
    Token.Keyword: "k",
    Token.Literal.Number: "m",
    Token.Literal.String: "s",
    Token.Name.Attribute: "a",
    Token.Name.Builtin: "f",
    Token.Name.Class: "f",
    Token.Name.Decorator: "a",
    Token.Name.Function: "f",
    Token.Name.Tag: "k",
    Token.Operator.Word: "k",
    Token.Generic.Deleted: "d",
    Token.Generic.Heading: "c",
    Token.Generic.Inserted: "i",
    Token.Generic.Subheading: "c",
}


def highlight(code: str, language: str) -> str:
    """Return the code as HTML. Code that is long or SLOW, or whose language is not in LANGUAGES, has no marks."""
    name = LEXERS.get(language.lower())
    if name is None or len(code) > LONGEST or SLOW.search(code):
        return visible(code)
    lexer = _lexer_class(name)(stripnl=False, ensurenl=False)  # a new one, because a lexer can have a state
    return "".join(_marked(lexer.get_tokens(code)))


def _marked(tokens: Iterable[tuple[_TokenType, str]]) -> Iterable[str]:
    for name, group in groupby(tokens, key=lambda token: _class(token[0])):
        text = visible("".join(value for _, value in group))
        yield f'<span class="{name}">{text}</span>' if name else text


@cache
def _class(kind: _TokenType) -> str:
    while kind not in CLASSES:
        kind = kind.parent
    return CLASSES[kind]


@cache
def _lexer_class(name: str) -> type[Lexer]:
    return find_lexer_class_by_name(name)
