"""Which advisory locks a unit takes before it reads what it is decided on.

Units that touch the same key, condition, business identifier or dossier follow one another; all
locks of a unit are taken in one statement in the order of their numbers, so that no two units wait
for each other. A dossier is locked before the ``seq`` of what is written to it is drawn, so its
highest ``seq`` tells every change.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from collections.abc import Iterable
from typing import NamedTuple

from passerelle.fhir.resource import Key
from passerelle.fhir.search import search_parameters
from passerelle.store.contract import Put, Unit
from passerelle.store.sql.planning import claims_of, keys_of

LOCK = """
WITH present AS MATERIALIZED (
    SELECT DISTINCT resource.dossier
    FROM unnest($2::text[], $3::text[]) AS written (type, id)
    JOIN resource ON resource.type = written.type AND resource.id = written.id
    WHERE resource.dossier IS NOT NULL
), locked AS MATERIALIZED (
    SELECT count(
        CASE WHEN shared THEN pg_advisory_xact_lock_shared(number)
        ELSE pg_advisory_xact_lock(number) END
    ) AS n FROM (
        SELECT hashtextextended(name, 0) AS number, bool_and(shared) AS shared FROM (
            SELECT unnest($1::text[]) AS name, false AS shared
            UNION ALL SELECT 'dossier ' || dossier, false FROM present
            UNION ALL SELECT unnest($4::text[]), true
        ) AS named GROUP BY 1 ORDER BY 1
    ) AS sorted
)
SELECT n, array(SELECT dossier FROM present) FROM locked
"""
"""Arguments: names; types and ids of the keys; names of locks that others may share. The present
dossiers of the keys are locked as well, and given back."""


LOCKS_MAX = 1_000
"""As many locks one unit takes: the server has room for some thousands in all. A larger one takes
the lock of everything instead, which all others share, and so goes alone."""

EVERYTHING = "everything"


def dossier_lock(dossier: str) -> str:
    """Name the lock of a dossier, as the statement above spells it."""
    return f"dossier {dossier}"


def key_lock(key: Key) -> str:
    """Name the lock of a key."""
    return f"key {key}"


class Locks(NamedTuple):
    """The names of the locks that are held alone, and of those that are shared.

    What must stay there is shared: many may refer to it at once, none may delete it meanwhile.
    """

    alone: frozenset[str]
    shared: frozenset[str]

    @classmethod
    def of(cls, units: Iterable[Unit]) -> "Locks":
        """Give the locks of some units together."""
        alone: set[str] = set()
        shared: set[str] = set()
        for unit in units:
            alone.update(lock_names(unit))
            shared.update(map(key_lock, unit.present))
        if len(alone) + len(shared) > LOCKS_MAX:
            return cls(frozenset([EVERYTHING]), frozenset())
        if alone or shared:
            shared.add(EVERYTHING)
        return cls(frozenset(alone), frozenset(shared))


def lock_names(unit: Unit) -> list[str]:
    """Give the names of all locks of a unit that can be told before anything is read."""
    names = [key_lock(key) for key in keys_of(unit)]
    names += [f"claim {type_} {system}|{value}" for type_, system, value in claims_of(unit)]
    names += condition_names(unit)
    names += [dossier_lock(expected.dossier) for expected in unit.dossiers]
    names += [
        dossier_lock(write.draft.rights.dossier)
        for write in unit.writes
        if isinstance(write, Put) and write.draft.rights.dossier is not None
    ]
    return names


def condition_names(unit: Unit) -> list[str]:
    """Give the names of the conditions of a unit, and of all that makes it meet another's.

    Of a resource with two identifiers one source asks for the first, another for the second. So
    what a unit writes on conditions excludes the conditions that ask for any identifier of it.
    """
    if not unit.expectations:
        return []
    named = {f"condition {expectation.lock}" for expectation in unit.expectations}
    named.update(
        f"identifier {expectation.query.type} {value}"
        for expectation in unit.expectations
        for value in expectation.identifiers
    )
    for draft in (write.draft for write in unit.writes if isinstance(write, Put)):
        asked = search_parameters.parameters(draft.key.type).get("identifier")
        if asked is not None:
            tokens = (token for token in draft.rows.tokens if token.param == asked.id)
            named.update(f"identifier {draft.key.type} {token.value}" for token in tokens)
    return sorted(named)
