"""The state of a package as the commits see it that are parts of its adding or its removal.

On PostgreSQL the row is held: who adds and who removes one package at once follow one another, unit
by unit (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS).
"""

from collections.abc import Sequence
from typing import Any

from passerelle.store.contract import PackageExpectation, Stale

STANDS = "SELECT state FROM package WHERE name = ? AND version = ? AND at = ?"
STANDS_HELD = "SELECT state FROM package WHERE name = $1 AND version = $2 AND at = $3 FOR SHARE"


def demand_state(expected: PackageExpectation, found: Sequence[Any] | None) -> None:
    """Raise Stale unless the package is there, the same, and in a state that is expected."""
    if found is None or found[0] not in expected.states:
        raise Stale("a package is being added or removed by somebody else")
