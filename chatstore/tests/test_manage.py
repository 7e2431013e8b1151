"""manage.py starts the embedded server only for commands that need the database."""

import pytest

from manage import needs_database


@pytest.mark.parametrize("arguments", ["migrate", "check --database default", "check --database=default"])
def test_a_command_that_uses_the_database_starts_the_server(arguments: str) -> None:
    assert needs_database(arguments.split())


@pytest.mark.parametrize("arguments", ["", "check", "help migrate", "migrate --help", "up"])
def test_other_commands_do_not_start_the_server(arguments: str) -> None:
    assert not needs_database(arguments.split())
