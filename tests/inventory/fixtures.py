"""Fixtures for tests that poll a fake API; conftest.py files import them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from tests.inventory.harness import FakeApi, PolledAccount


class CreateAccount(Protocol):
    """Creates an account that polls the fake API, and stops it after the test."""

    def __call__(self, name: str = "default", **options: Any) -> PolledAccount:
        """Create the account; see :class:`PolledAccount` for the options."""


@pytest.fixture(scope="module")
def api_server() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield server


@pytest.fixture
def api(api_server: FakeApi) -> FakeApi:
    """A fake API with empty lists and without requests so far."""
    api_server.reset()
    return api_server


@pytest.fixture
def create_account(api: FakeApi) -> Iterator[CreateAccount]:
    """Create accounts that poll the fake API."""
    accounts: list[PolledAccount] = []

    def create(name: str = "default", **options: Any) -> PolledAccount:
        accounts.append(PolledAccount(api.url, name, **options))
        return accounts[-1]

    yield create
    for account in accounts:
        account.close()


@pytest.fixture
def account(create_account: CreateAccount) -> PolledAccount:
    """An account with the default options."""
    return create_account()
