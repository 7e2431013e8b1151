"""The page that asks for the confirmation of an action can have a form with further fields."""

from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.test import RequestFactory

from accounts.models import User
from conversations.models import Conversation
from staff.actions import confirm
from testing.cast import create_conversation

HOSTILE = "<script>alert(1)</script>"


class TagForm(forms.Form):
    tag = forms.CharField(label="Tag to add", help_text="One word.", max_length=5)


def page(alice: User, **context: Any) -> str:
    create_conversation(alice, "Hi")
    request = RequestFactory().post("/")
    request.user = User(is_staff=True, is_superuser=True)
    model_admin = admin.site._registry[Conversation]
    texts = {"action": "tag", "title": "Tag?", "warning": "This adds a tag.", "rows": [], "submit": "Tag"}
    answer: Any = confirm(model_admin, request, Conversation.objects.all(), **texts, **context)
    return str(answer.render().content.decode())


def test_the_page_shows_the_fields_of_a_form(alice: User) -> None:
    text = page(alice, form=TagForm())
    assert '<label for="id_tag">Tag to add:</label>' in text and "One word." in text
    assert '<input type="text" name="tag"' in text and "admin/css/forms.css" in text
    assert text.index("<form method") < text.index('name="tag"') < text.index('type="submit" value="Tag"')


def test_the_page_shows_the_errors_of_a_form_and_escapes_its_values(alice: User) -> None:
    text = page(alice, form=TagForm({"tag": HOSTILE}))
    assert '<ul class="errorlist"' in text and "at most 5 characters" in text
    assert HOSTILE not in text


@pytest.mark.parametrize("context", [{}, {"form": None}])
def test_without_a_form_the_page_has_no_field(context: Any, alice: User) -> None:
    assert "<fieldset" not in page(alice, **context)
