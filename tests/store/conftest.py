"""Resources to keep in a record."""

from collections.abc import Callable
from typing import Any

import pytest

from passerelle.store.contract import Draft
from tests.store.drafts import derive, make_draft


@pytest.fixture(scope="session")
def draft() -> Callable[..., Draft]:
    """The maker of drafts."""
    return make_draft


@pytest.fixture(scope="session")
def derived() -> Callable[..., Any]:
    """The rule of what is derived."""
    return derive
