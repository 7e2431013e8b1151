"""Translation to German: the catalogue has every marked message, the compiled catalogue is up to date, and users get
their language."""

import ast
import io
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.utils.translation.template import templatize

from accounts.models import Preferences, User
from chatstore.env import BASE_DIR
from testing.api_client import AUTHENTICATION_KINDS, ApiClient
from testing.statements import assert_statement_count

CATALOGUE = BASE_DIR / "locale/de/LC_MESSAGES/django.po"
APPS = ("accounts", "chatstore", "compat", "conversations", "replies", "staff", "transfer")
MARKS = {"gettext": None, "gettext_lazy": None, "gettext_noop": None}
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
PAGE = {"Accept": "text/html"}
# Only the person who runs the service reads these messages.
NOT_TRANSLATED = ("management/", "transfer/importers/", "tests/", "migrations/")
ERROR_CLASSES = {"Invalid", "Conflict", "ServiceError", "ProviderError", "ValidationError", "PermissionDenied",
                 "TooLarge", "AuthenticationFailed", "ErrorDetail", "Forbidden", "RateLimited", "PydanticCustomError",
                 "refusal"}  # fmt: skip

# Staff read the texts of these arguments and attributes in the admin.
STAFF_READ = {"description", "short_description", "search_help_text", "title", "message", "warning", "submit"}
FIELDSETS = {"fieldsets", "add_fieldsets"}


def sources() -> Iterator[Path]:
    for app in APPS:
        yield from (path for path in (BASE_DIR / app).rglob("*.py") if path.parent.name != "tests")


@cache
def marked_messages() -> set[str]:
    messages: set[str] = set()
    for path in sources():
        messages |= set(in_python(path.read_bytes())) | set(in_not_found_errors(path))
    for path in (BASE_DIR / "templates").rglob("*.html"):
        messages |= set(in_python(templatize(path.read_text()).encode()))
    return messages


def in_python(text: bytes) -> Iterator[str]:
    for _, message, _, _ in extract("python", io.BytesIO(text), MARKS | {"_": None}):
        yield str(message)


def in_not_found_errors(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(ast.Name("NotFound"), [ast.Constant(str(noun))]):
                yield f"There is no such {noun}."


@cache
def catalogue() -> Any:
    return read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="de")


def test_the_catalogue_has_exactly_the_marked_messages() -> None:
    translated = {message.id for message in catalogue() if message.id and message.string}
    assert translated - marked_messages() == set(), "the code does not contain these messages"
    assert marked_messages() - translated == set(), "add these to the catalogue and run `make messages`"


def test_a_translation_has_the_placeholders_of_its_message() -> None:
    for message in catalogue():
        if message.id:
            placeholders = re.findall(r"\{[^}]*\}|%\(\w+\)s", message.id)
            assert sorted(placeholders) == sorted(re.findall(r"\{[^}]*\}|%\(\w+\)s", message.string)), message.id


def test_the_compiled_catalogue_is_up_to_date() -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = {message.id: message.string for message in read_mo(file) if message.id}
    assert compiled == {message.id: message.string for message in catalogue() if message.id}, "run `make messages`"


def test_every_error_message_is_marked() -> None:
    for path in sources():
        if not any(part in str(path.relative_to(BASE_DIR)) for part in NOT_TRANSLATED):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and name_of(node.func) in ERROR_CLASSES:
                    assert not bare_sentences(node), (path, node.lineno)


def test_every_text_of_the_admin_is_marked() -> None:
    for path in (path for path in sources() if "staff" in path.relative_to(BASE_DIR).parts):
        for node in ast.walk(ast.parse(path.read_text())):
            for text in bare_texts(staff_texts(node)):
                assert not any(map(str.isalpha, text)), (path, text)


@pytest.mark.parametrize(
    "code",
    [
        '@admin.action(description="Tag")\ndef tag(): pass',
        '@admin.display(description="state")\ndef state(): pass',
        'tag.short_description = "Tag"',
        'search_help_text = "Name."',
        'title = "state"',
        'fieldsets = ((None, {"fields": ()}), ("Times", {"fields": ()}))',
        'self.message_user(request, f"Conversations tagged: {count}.")',
        'self.message_user(request, message="Tagged.")',
        'confirm(self, request, queryset, action="tag", title=gettext("Tag?"), warning="Sure?")',
    ],
)
def test_an_unmarked_text_of_the_admin_is_detected(code: str) -> None:
    found = [text for node in ast.walk(ast.parse(code)) for text in bare_texts(staff_texts(node))]
    assert any(map(str.isalpha, "".join(found)))


def staff_texts(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions of the node whose text appears in the admin."""
    match node:
        case ast.Call():
            yield from (keyword.value for keyword in node.keywords if keyword.arg in STAFF_READ)
            if name_of(node.func) == "message_user":
                yield from node.args[1:2]
        case ast.Assign(targets=[target], value=ast.Tuple(fieldsets)) if name_of(target) in FIELDSETS:
            yield from (fieldset.elts[0] for fieldset in fieldsets if isinstance(fieldset, ast.Tuple))
        case ast.Assign(targets=[target], value=value) if name_of(target) in STAFF_READ:
            yield value


def name_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def bare_texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the strings in the nodes, except those inside a call such as `gettext`."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Call):
            waiting.append(node.func)  # it contains the string of "A sentence about {name}.".format(…)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def bare_sentences(call: ast.Call) -> list[str]:
    return [text for text in bare_texts(call.args) if " " in text.strip()]


@pytest.mark.parametrize(
    ("error", "is_marked"),
    [
        ('PydanticCustomError("nul", "A NUL character.")', False),
        ('PydanticCustomError("long", "At most {limit} bytes.", {"limit": 5})', False),
        ('PydanticCustomError("long", f"At most {limit} bytes.")', False),
        ('PydanticCustomError("long", "At most {} bytes.".format(limit))', False),
        ('PydanticCustomError("nul", gettext("A NUL character."))', True),
        ('PydanticCustomError("long", gettext("At most {limit} bytes.").format(limit=limit))', True),
    ],
)
def test_an_unmarked_error_message_is_detected(error: str, is_marked: bool) -> None:
    call = ast.parse(error, mode="eval").body
    assert isinstance(call, ast.Call) and name_of(call.func) in ERROR_CLASSES
    assert bool(bare_sentences(call)) is not is_marked


# --- The choice of the language -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "english", "german"),
    [
        ("GET", f"conversations/{'0' * 8}-0000-7000-8000-{'0' * 12}/", None, 404,
         "There is no such conversation.", "Diese Konversation gibt es nicht."),
        ("POST", "conversations/", {"shoe": 1}, 400, "There is no such field.", "Dieses Feld gibt es nicht."),
        ("POST", "conversations/", {"metadata": 5}, 400, "Must be an object.", "Muss ein Objekt sein."),
        ("POST", "tokens/", {}, 400, "This field is required.", "Dieses Feld ist erforderlich."),
        ("GET", "conversations/?limit=0", None, 400,
         "Must be a whole number from 1 to 100.", "Muss eine ganze Zahl von 1 bis 100 sein."),
        ("DELETE", "me/", {"password": "x"}, 400, "The password is wrong.", "Das Passwort ist falsch."),
        ("GET", "nowhere/", None, 404,
         "There is nothing at /api/v1/nowhere/.", "Unter /api/v1/nowhere/ gibt es nichts."),
    ],
)  # fmt: skip
def test_a_german_client_gets_german_messages_and_the_same_codes(
    method: str, path: str, body: Any, status: int, english: str, german: str, as_either: ApiClient
) -> None:
    english_error = as_either(method, path, body, status=status)["error"]
    german_error = as_either(method, path, body, status=status, **GERMAN)["error"]
    assert as_either.answer.headers["Content-Language"] == "de"
    assert (english_error["message"], german_error["message"]) == (english, german)
    for error in (english_error, german_error):
        error.pop("message")
        error["details"] = [detail | {"message": ""} for detail in error["details"]]
    assert english_error == german_error


@pytest.mark.parametrize("accepted", ["", "fr", "xx-YY", "*", "fr;q=0.9, xx", ";;;", "\u00e9", "a" * 600])
def test_a_client_with_an_unsupported_language_gets_english(accepted: str, as_either: ApiClient) -> None:
    error = as_either("POST", "conversations/", {"shoe": 1}, status=400, Accept_Language=accepted)["error"]
    assert error["message"] == "There is no such field."


@pytest.fixture(params=AUTHENTICATION_KINDS)
def as_either(request: pytest.FixtureRequest, alice: User) -> ApiClient:
    return ApiClient(alice, by=request.param)


def language_of(page: Any) -> str:
    return re.findall(r'<html lang="([\w-]+)"', page.text)[0]


def test_the_welcome_page_is_german_in_a_german_browser(client: Client, db: None) -> None:
    page = client.get("/", headers=GERMAN | PAGE)
    assert "Sie läuft." in page.text and language_of(page) == "de"
    assert "It is running." in client.get("/", headers=PAGE).text


@pytest.mark.parametrize(
    ("chosen", "accepted", "shown"),
    [
        ("de", "en", "de"),
        ("en", "de", "en"),
        ("de-CH", "en", "de"),
        ("", "de", "de"),
        ("fr", "de", "de"),
        ("\u00e9", "en", "en"),
    ],
)
def test_pages_prefer_the_language_of_the_user_to_the_language_of_the_browser(
    chosen: str, accepted: str, shown: str, client: Client, alice: User
) -> None:
    Preferences.objects.create(user=alice, language=chosen)
    client.force_login(alice)
    assert language_of(client.get("/accounts/logout/", headers=PAGE | {"Accept-Language": accepted})) == shown


def test_pages_use_the_language_of_the_browser_if_the_user_has_not_chosen_one(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert language_of(client.get("/accounts/logout/", headers=GERMAN | PAGE)) == "de"
    Preferences.objects.create(user=alice, theme="light")
    assert language_of(client.get("/accounts/logout/", headers=GERMAN | PAGE)) == "de"


def test_staff_read_the_admin_in_their_language(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    client.force_login(alice)
    ApiClient(alice)("POST", "conversations/", {"messages": [{"role": "user", "content": "Hi"}]}, status=201)
    conversation = alice.conversations.get()
    page = client.get(f"/admin/conversations/conversation/{conversation.pk}/change/", headers=GERMAN | PAGE)
    assert "Verlauf" in page.text and "Transcript<" not in page.text
    rows = client.get("/admin/conversations/conversation/", headers=GERMAN | PAGE)
    assert "In den Papierkorb" in rows.text and "Move to trash" not in rows.text
    form = {"action": "trash", "_selected_action": [conversation.pk]}
    done = client.post("/admin/conversations/conversation/", form, follow=True, headers=GERMAN | PAGE)
    assert "Konversationen in den Papierkorb gelegt: 1." in done.text


@pytest.mark.parametrize(("by", "count"), [("token", 2), ("session", 3)])
def test_choosing_the_language_of_an_api_request_executes_no_sql_statement(by: str, count: int, alice: User) -> None:
    Preferences.objects.create(user=alice, language="de")
    api_client = ApiClient(alice, by=by)
    api_client("GET", "me/")
    for headers in ({}, GERMAN):
        with assert_statement_count(count):
            api_client("GET", "conversations/", **headers)


def test_the_language_of_a_request_does_not_affect_the_next_request(as_either: ApiClient) -> None:
    as_either("GET", "me/", **GERMAN)
    assert as_either("POST", "tokens/", {}, status=400)["error"]["message"] == "This field is required."


def test_the_refusal_of_a_large_form_is_in_the_language_of_its_own_request(client: Client) -> None:
    form = {"login": "x" * (settings.FORM_LIMIT + 1)}
    german = client.post("/accounts/login/", form, headers=GERMAN)
    english = client.post("/accounts/login/", form, headers={"Accept-Language": "en"})
    assert (german.status_code, english.status_code) == (413, 413)
    assert german.content.startswith(b"Der Body hat")
    assert english.content.startswith(b"The body has")
