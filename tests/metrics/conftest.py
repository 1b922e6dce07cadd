"""Fixtures of these tests."""

from __future__ import annotations

from tests.inventory.fixtures import account, api, api_server, create_account

__all__ = ["account", "api", "api_server", "create_account"]
