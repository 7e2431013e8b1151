"""The tree: what is shown after any sequence of appends, alternatives, switches, deletions and restores."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import TreeMachine


@pytest.mark.django_db
def test_any_sequence_of_operations_comes_to_what_a_plain_tree_comes_to() -> None:
    run_state_machine_as_test(TreeMachine, settings=settings())
