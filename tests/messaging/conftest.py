"""A real operator on loopback, and the account of the gateway there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from passerelle.messaging.accounts import Account
from passerelle.simulation.operator import Operator
from tests.messaging.correspondence import account_at, open_mailboxes


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with Operator(tmp_path) as running:
        open_mailboxes(running)
        yield running


@pytest.fixture
def account(operator: Operator) -> Account:
    return account_at(operator)
