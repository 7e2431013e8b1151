"""Tests of the settings in the web app, of the way from the sign-up to it, and of the welcome page."""

import io
import json
import re
import urllib.request
import zipfile
from typing import Any
from urllib.error import HTTPError

from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from accounts.models import Preferences, User
from conversations.services import holds
from testing import api_client, scratch

from .site import PASSWORD, Site, new_address
from .web import Problems, SignIn, composer, sign_in_ten_minutes_ago

THEME = "document.documentElement.dataset.theme"
COLORS = """() => {
    const {backgroundColor: paper, color: ink} = getComputedStyle(document.body);
    return {paper, ink};
}"""
# Records the theme of the page before any script of the page runs, and whenever it changes.
WATCH = """new MutationObserver(() => {
    const theme = document.documentElement?.dataset.theme;
    if (theme && window.themes?.at(-1) !== theme) (window.themes ??= []).push(theme);
}).observe(document, {attributes: true, childList: true, subtree: true});"""


def open_settings(page: Page, section: str) -> None:
    page.goto(f"/app/settings/{section}")
    expect(page.get_by_role("navigation", name="Settings")).to_be_visible()


def luminance(color: str) -> float:
    """Return how bright a color such as `rgb(22, 24, 28)` is, from 0 to 1."""
    parts = [int(part) for part in re.findall(r"\d+", color)[:3]]
    return sum(parts) / (3 * 255)


def call(address: str, secret: str, path: str = "me/") -> int:
    """Send a GET with a token, as a program does. Return the status."""
    request = urllib.request.Request(f"{address}/api/v1/{path}", headers={"Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request, timeout=scratch.TIMEOUT) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def test_the_address_of_the_settings_opens_the_first_section(alice_page: Page) -> None:
    open_settings(alice_page, "")
    expect(alice_page).to_have_url(re.compile("/app/settings/general$"))
    alice_page.goto("/app/settings")
    expect(alice_page.get_by_role("heading", name="General")).to_be_visible()


def test_a_theme_applies_at_once_and_is_there_from_the_start_of_the_next_page(alice_page: Page, alice: User) -> None:
    open_settings(alice_page, "general")
    alice_page.get_by_text("Dark", exact=True).click()
    expect(alice_page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(alice_page.get_by_text("Saved")).to_be_visible()
    alice_page.add_init_script(WATCH)
    alice_page.reload()
    expect(alice_page.get_by_role("radio", name="Dark")).to_be_checked()
    assert alice_page.evaluate("window.themes") == ["dark"]
    assert Preferences.objects.get(user=alice).theme == "dark"
    alice_page.goto("/accounts/email/")
    assert alice_page.evaluate(THEME) == "dark"


def test_the_theme_of_the_system_follows_the_system_without_a_reload(sign_in: SignIn, alice: User) -> None:
    page = sign_in(alice, color_scheme="light")
    page.goto("/app/")
    composer(page).fill("A draft")
    light = page.evaluate(COLORS)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(COLORS)
    assert luminance(light["paper"]) > 0.8 > 0.2 > luminance(dark["paper"])
    assert luminance(light["ink"]) < 0.2 < 0.8 < luminance(dark["ink"])
    page.emulate_media(color_scheme="light")
    assert page.evaluate(COLORS) == light
    expect(composer(page)).to_have_value("A draft")


def test_a_chosen_theme_stays_when_that_of_the_system_changes(sign_in: SignIn, alice: User) -> None:
    page = sign_in(alice, color_scheme="light")
    open_settings(page, "general")
    page.get_by_text("Light", exact=True).click()
    expect(page.get_by_text("Saved")).to_be_visible()
    light = page.evaluate(COLORS)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(COLORS) == light


def test_a_language_applies_to_the_app_and_to_the_pages_of_the_account(alice_page: Page) -> None:
    open_settings(alice_page, "general")
    alice_page.get_by_label("Language").select_option("Deutsch")
    expect(alice_page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    expect(alice_page.get_by_label("Sprache")).to_have_value("de")
    alice_page.goto("/accounts/email/")
    alice_page.get_by_role("link", name="Zurück zur App").click()
    alice_page.wait_for_url("**/app/settings/account")


def test_a_change_of_the_language_keeps_a_draft(alice_page: Page) -> None:
    alice_page.goto("/app/")
    composer(alice_page).fill("Half a thought")
    alice_page.get_by_role("link", name="Settings").click()
    alice_page.get_by_label("Language").select_option("Deutsch")
    expect(alice_page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    alice_page.get_by_role("link", name="Neue Konversation").first.click()
    expect(alice_page.get_by_label("Nachricht", exact=True)).to_have_value("Half a thought")


def test_a_change_of_the_language_in_another_tab_keeps_a_draft(alice_page: Page) -> None:
    alice_page.goto("/app/")
    composer(alice_page).fill("Half a thought")
    other = alice_page.context.new_page()
    open_settings(other, "general")
    other.get_by_label("Language").select_option("Deutsch")
    expect(other.get_by_role("heading", name="Einstellungen")).to_be_visible()
    composer(alice_page).press_sequentially(", and the rest")
    expect(composer(alice_page)).to_have_value("Half a thought, and the rest")
    alice_page.reload()
    expect(alice_page.get_by_label("Nachricht", exact=True)).to_have_value("Half a thought, and the rest")


def test_a_default_model_is_stored(alice_page: Page, alice: User) -> None:
    open_settings(alice_page, "general")
    alice_page.get_by_label("Default model").select_option(value="second")
    expect(alice_page.get_by_text("Saved")).to_be_visible()
    alice_page.reload()
    expect(alice_page.get_by_label("Default model")).to_have_value("second")
    assert Preferences.objects.get(user=alice).default_model == "second"


def test_the_general_page_shows_what_the_operator_has_set(alice_page: Page) -> None:
    open_settings(alice_page, "general")
    expect(alice_page.get_by_text("Deleted permanently after 30 days in the trash")).to_be_visible()


def test_a_name_is_saved_and_a_wrong_address_of_a_picture_is_explained_at_its_field(
    alice_page: Page, alice: User, problems: Problems
) -> None:
    open_settings(alice_page, "account")
    picture = alice_page.get_by_label("Picture")
    alice_page.get_by_label("Name").fill("Alice")
    picture.fill("no address")
    alice_page.get_by_role("button", name="Save").click()
    expect(picture).to_have_accessible_description(re.compile("URL"))
    expect(alice_page.get_by_label("Name")).to_have_value("Alice")
    problems.expect("status of 400")
    picture.fill("")
    alice_page.get_by_role("button", name="Save").click()
    expect(alice_page.get_by_text("Saved")).to_be_visible()
    alice.refresh_from_db()
    assert alice.name == "Alice"


def test_a_token_is_shown_once_works_and_is_revoked(alice_page: Page, app_address: str) -> None:
    open_settings(alice_page, "tokens")
    alice_page.get_by_label("Name").fill("Backup script")
    alice_page.get_by_role("button", name="Create a token").click()
    secret = alice_page.get_by_label("Token", exact=True).input_value()
    assert call(app_address, secret) == 200
    alice_page.get_by_role("button", name="I have stored it").click()
    expect(alice_page.get_by_text("Backup script", exact=True)).to_be_visible()
    assert secret not in alice_page.content()
    alice_page.get_by_role("button", name="Revoke Backup script").click()
    alice_page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(alice_page.get_by_text("You have no tokens.")).to_be_visible()
    assert call(app_address, secret) == 401


def test_a_token_long_after_the_sign_in_needs_the_password_and_the_form_keeps_its_content(
    sign_in: SignIn, alice: User, problems: Problems, app_address: str
) -> None:
    page = sign_in(None)
    request_late_token(page, alice, app_address)
    password = page.get_by_role("dialog").get_by_label("Password")
    password.fill("wrong")
    password.press("Enter")
    expect(password).to_have_accessible_description(re.compile("password", re.IGNORECASE))
    password.fill(PASSWORD)
    password.press("Enter")
    secret = page.get_by_label("Token", exact=True).input_value()
    assert call(app_address, secret) == 200
    problems.expect("status of 403")
    problems.expect("status of 400")


def test_a_token_long_after_the_sign_in_of_a_user_without_a_password_needs_another_sign_in(
    sign_in: SignIn, alice: User, problems: Problems, app_address: str
) -> None:
    remove_password(alice)
    page = sign_in(None)
    request_late_token(page, alice, app_address)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Sign out and sign in again.")).to_be_visible()
    expect(dialog.get_by_label("Password")).to_have_count(0)
    dialog.get_by_role("link", name="Sign out").click()
    expect(page).to_have_url(re.compile("/accounts/logout/"))
    problems.expect("status of 403")


def request_late_token(page: Page, user: User, address: str) -> None:
    """Fill in and send the form for a token, ten minutes after the sign-in."""
    sign_in_ten_minutes_ago(page, user, address)
    open_settings(page, "tokens")
    page.get_by_label("Name").fill("Late")
    page.get_by_role("button", name="Create a token").click()


def remove_password(user: User) -> None:
    """Leave the user without a password, like people who sign in with an identity provider."""
    user.set_unusable_password()
    user.save(update_fields=["password"])


def test_the_usage_page_shows_sums_and_the_days_as_a_table(alice_page: Page, alice: User) -> None:
    store(alice, prompt_tokens=1200, completion_tokens=34)
    open_settings(alice_page, "usage")
    expect(alice_page.get_by_role("definition").filter(has_text="1,200")).to_be_visible()
    expect(alice_page.get_by_role("img", name="Tokens")).to_be_visible()
    alice_page.get_by_text("As a table").first.click()
    expect(alice_page.get_by_role("row").filter(has_text="1,200").first).to_be_visible()
    expect(alice_page.get_by_role("row").filter(has_text="some-model")).to_be_visible()


def test_the_export_has_the_conversations(alice_page: Page, alice: User) -> None:
    store(alice)
    open_settings(alice_page, "data")
    with alice_page.expect_download() as download:
        alice_page.get_by_role("link", name="Download everything").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        assert json.loads(archive.read("conversations.jsonl"))["title"] == "Lisbon"


def test_the_account_is_erased_only_after_its_address_is_typed(
    alice_page: Page, alice: User, problems: Problems
) -> None:
    dialog = open_erasure(alice_page)
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_label("Type").fill("somebody@example.com")
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(dialog.get_by_text("This is not the address of your account.")).to_be_visible()
    dialog.get_by_label("Type").fill(str(alice.email))
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(dialog.get_by_text("The password is wrong.")).to_be_visible()
    problems.expect("status of 400")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(alice_page.get_by_role("link", name="Sign up")).to_be_visible()
    assert not User.objects.filter(pk=alice.pk).exists()


def test_a_user_without_a_password_erases_the_account_soon_after_the_sign_in(sign_in: SignIn, alice: User) -> None:
    remove_password(alice)
    page = sign_in(alice)
    dialog = open_erasure(page)
    expect(dialog.get_by_label("Password")).to_have_count(0)
    dialog.get_by_label("Type").fill(str(alice.email))
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(page.get_by_role("link", name="Sign up")).to_be_visible()
    assert not User.objects.filter(pk=alice.pk).exists()


def test_an_account_on_hold_is_not_erased_and_the_app_says_why(
    alice_page: Page, alice: User, problems: Problems
) -> None:
    holds.place(user=alice, reason="A court asks for it.", by=alice)
    dialog = open_erasure(alice_page)
    dialog.get_by_label("Type").fill(str(alice.email))
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(dialog.get_by_text("for legal reasons")).to_be_visible()
    problems.expect("status of 409")
    assert User.objects.filter(pk=alice.pk).exists()


def test_staff_read_that_they_cannot_erase_their_account(alice_page: Page, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    open_settings(alice_page, "data")
    expect(alice_page.get_by_text("A superuser must remove your staff rights")).to_be_visible()
    expect(alice_page.get_by_role("button", name="Erase the account")).to_have_count(0)


def test_a_stranger_signs_up_on_the_welcome_page_and_comes_to_the_app(site: Site, page: Page) -> None:
    email = new_address()
    page.goto("/")
    expect(page.get_by_role("link", name="Admin")).to_be_visible()
    site.follow("Sign up")
    site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    site.fill(code=site.mails.code(email))
    page.wait_for_url("**/app/")
    page.goto("/")
    page.wait_for_url("**/app/")
    assert EmailAddress.objects.get(email=email).verified


def test_the_settings_fit_a_phone(sign_in: SignIn, alice: User) -> None:
    store(alice)
    page = sign_in(alice, viewport={"width": 320, "height": 640}, locale="de-DE")
    for section in ("general", "account", "tokens", "usage", "data"):
        page.goto(f"/app/settings/{section}")
        expect(page.locator(".settings-section")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth"), section


def open_erasure(page: Page) -> Any:
    open_settings(page, "data")
    page.get_by_role("button", name="Erase the account").click()
    return page.get_by_role("dialog")


def store(user: User, **tokens: int) -> None:
    """Store a conversation of this user with an answer that used tokens."""
    answer = {"role": "assistant", "content": "Here", "model": "some-model"} | tokens
    messages = [{"role": "user", "content": "Where?"}, answer]
    api_client.ApiClient(user)("POST", "conversations/", {"title": "Lisbon", "messages": messages}, status=201)
