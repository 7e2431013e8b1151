import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from chatstore.raw_sql import fetch_rows
from conversations.models import Reaction
from staff.models import AuditEvent
from testing.cast import create_conversation
from testing.fast_django import all_tables, delete_rows


@pytest.mark.django_db(transaction=True)
def test_the_rows_of_a_test_are_deleted_except_those_of_migrations(alice: User) -> None:
    message = create_conversation(alice, "Hello").messages.get()
    Reaction.objects.create(message=message, user=alice, type="thumbs_down")
    AuditEvent.objects.create(actor=alice.pk, action="search")
    delete_rows()
    assert [name for name in all_tables() if fetch_rows(f"SELECT FROM {name} LIMIT 1", {})] == []
    assert Group.objects.exists()


@pytest.mark.parametrize("number", [1, 2])
def test_each_client_serves_static_files(number: int, client: Client, db: None) -> None:
    response = client.get("/static/staff/console.css")
    response.close()  # closes the file
    assert response.status_code == 200
