"""Every operation of docs/openapi.yaml gets random requests. A request that the document allows must be accepted, any
other one refused, and all responses must be as documented. docs/how-to.md tells how to read and repeat a failure."""

from collections.abc import Iterator

import pytest
import schemathesis
from django.db import transaction
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.models import User
from testing import random_requests
from testing.api_client import ApiClient

schema = random_requests.load()


@pytest.fixture
def token(alice: User) -> Iterator[dict[str, str]]:
    random_requests.create_objects(alice)
    with random_requests.repeatable():
        yield ApiClient(alice).headers


@schema.parametrize()
def test_responses_are_as_documented(case: schemathesis.Case, token: dict[str, str]) -> None:
    excluded = [positive_data_acceptance] if random_requests.may_be_refused(case) else []
    with transaction.atomic():
        case.call_and_validate(headers=token, excluded_checks=excluded)
        transaction.set_rollback(True)
