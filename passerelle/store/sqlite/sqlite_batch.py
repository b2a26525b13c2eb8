"""One group commit on SQLite: all units that wait are applied one after another, written together.

Each unit is decided (``planning``) on what the file holds and what the units before it will have
changed; a refused unit leaves no trace and harms no other. Rows are gathered and go in by the
dozen when a condition has to look at them, or at the end.
"""

import sqlite3
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from passerelle.fhir.resource import Key
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.store.added_parameters import demand_current
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import DossierExpectation, Expectation, Outcome, Stale, Unit, Version
from passerelle.store.packages_standing import STANDS, demand_state
from passerelle.store.parameter_rows import text
from passerelle.store.search_sql.search import matching_statement
from passerelle.store.sql.cells import (
    RESOURCE_COLUMNS,
    RIGHTS_START,
    VERSION_COLUMNS,
    head_cells,
    rights_cells,
    version_cells,
)
from passerelle.store.sql.index_tables import INDEX_TABLES, cells_by_table
from passerelle.store.sql.planning import (
    ClaimKey,
    Head,
    Plan,
    Stamps,
    claims_of,
    guarded,
    heads_wanted,
    instant,
    keys_of,
    plan,
)
from passerelle.store.sql.referring import referrers_of
from passerelle.store.sql.statements import readings, to_version
from passerelle.store.sqlite import sqlite_inserts
from passerelle.store.sqlite.sqlite_heads import heads_of, holders_of, last_numbers
from passerelle.store.sqlite.sqlite_outbox import demand_bytes, has_side_rows, write_side_rows

_STAMP = text("stamp", "sqlite").sql
_CLAIM = ("type", "system", "value", "pid")
_CLEARED = (*(kind.table.name for kind in INDEX_TABLES), "claim")
_UPSERT = "ON CONFLICT (pid) DO UPDATE SET " + ", ".join(
    f'"{name}" = excluded."{name}"'
    for name in RESOURCE_COLUMNS
    if name not in ("pid", "type", "id")
)
_MARK_DELETED = "UPDATE resource SET version = ?, seq = ?, updated = ?, deleted = 1 WHERE pid = ?"


class Batch:
    """The units of one transaction. ``now`` gives instants that never go back."""

    def __init__(self, connection: sqlite3.Connection, now: Callable[[int], int]) -> None:
        self.connection = connection
        self._now = now
        self._heads: dict[Key, Head] = {}
        self._holders: dict[ClaimKey, int] = {}
        pid, seq, tx, self._latest = last_numbers(connection)
        self._pids, self._seqs, self._txs = count(pid + 1), count(seq + 1), count(tx + 1)
        self._stamp: int | None = None
        self._forget()

    def _forget(self) -> None:
        """Start anew with nothing gathered."""
        self._versions: dict[int, Version] = {}  # by seq
        self._resources: dict[int, tuple[Any, ...]] = {}  # by pid
        self._deletions: dict[int, Head] = {}
        self._rows: dict[int, IndexRows] = {}
        self._renewed: set[int] = set()
        self._claims: dict[ClaimKey, int] = {}

    def look_up(self, units: Iterable[Unit]) -> None:
        """Read at once the heads and the holders of claims that those units will be decided on."""
        keys = {key for unit in units for key in heads_wanted(unit)}
        claims = {claim for unit in units for claim in claims_of(unit)}
        self._heads.update(heads_of(self.connection, keys))
        self._holders.update(holders_of(self.connection, claims))

    def apply(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Apply a unit whose heads have been looked up. Raises what ``Store.commit`` raises."""
        demand_current(unit, self._current_stamp())
        if unit.expectations or unit.dossiers or unit.unreferenced:
            self.flush()
            for expectation in unit.expectations:
                self._demand_expected(expectation, caller)
            for dossier in unit.dossiers:
                self._demand_unchanged(dossier)
            self._demand_unreferenced(unit)
        self._demand_package(unit)
        demand_bytes(self.connection, unit)
        # Not before what another process has written: feeds are read in the order of instants.
        at = self._now(instant(unit, self._heads, self._latest))
        stamps = Stamps(
            at, next(self._txs), caller.subject, self._pids.__next__, self._seqs.__next__
        )
        made = plan(unit, self._heads, self._holders, stamps)
        if has_side_rows(unit):
            write_side_rows(self.connection, unit, at)
        self._gather(made)
        return tuple(Outcome(action, self._version(found)) for action, found in made.outcomes)

    def unsettle(self) -> None:
        """Take nothing as read any more that other work than units may have changed."""
        self._stamp = None

    def _current_stamp(self) -> int:
        """Give the state of the search parameters: units leave it, other processes wait."""
        if self._stamp is None:
            found: int = self.connection.execute(_STAMP).fetchone()[0]
            self._stamp = found
        return self._stamp

    def _version(self, found: Version | int | None) -> Version | None:
        """Give the version of an outcome: one just made, one gathered before, or one on file."""
        if not isinstance(found, int):
            return found
        if found in self._versions:
            return self._versions[found]
        sql = readings(SYSTEM, "sqlite").by_seq
        return to_version(self.connection.execute(sql, (found,)).fetchone())

    def _demand_expected(self, expectation: Expectation, caller: Caller) -> None:
        limit = len(expectation.ids) + 1
        statement = matching_statement(expectation.query, caller, "sqlite", limit=limit)
        found = self.connection.execute(*statement).fetchall()
        if tuple(row[0] for row in found) != expectation.ids:
            raise Stale("a condition designates something else now")

    def _demand_unchanged(self, dossier: DossierExpectation) -> None:
        sql = readings(SYSTEM, "sqlite").dossier_seq
        if self.connection.execute(sql, (dossier.dossier,)).fetchone()[0] != dossier.seq:
            raise Stale("a dossier was written to meanwhile")

    def _demand_package(self, unit: Unit) -> None:
        if unit.package is not None:
            cells = (unit.package.name, unit.package.version, unit.package.at)
            demand_state(unit.package, self.connection.execute(STANDS, cells).fetchone())

    def _demand_unreferenced(self, unit: Unit) -> None:
        """Raise Stale when something that the unit does not write refers to what it deletes."""
        referred = guarded(unit, self._heads)
        if not referred:
            return
        written = set(keys_of(unit))
        sql, args = referrers_of(referred, SYSTEM, "sqlite", limit=len(written) + 1)
        if {Key(*row) for row in self.connection.execute(sql, args)} - written:
            raise Stale("something refers to what is to be deleted")

    def _gather(self, made: Plan) -> None:
        """Note what a unit writes; nothing here can fail."""
        for version in made.versions:
            self._versions[version.seq] = version
        for key, head in made.heads.items():
            self._rows.pop(head.pid, None)
            self._deletions.pop(head.pid, None)
            gathered = self._resources.get(head.pid)
            draft = made.drafts[head.pid]
            if draft is not None:
                self._rows[head.pid] = draft.rows
            if head.pid in made.rights:
                rights = rights_cells(made.rights[head.pid])
                self._resources[head.pid] = (*head_cells(key, head), *rights)
            elif gathered is not None:
                self._resources[head.pid] = (*head_cells(key, head), *gathered[RIGHTS_START:])
            else:
                self._deletions[head.pid] = head
        self._heads.update(made.heads)
        self._renewed |= made.renewed
        if made.renewed:
            self._free(made.renewed)
        self._holders.update(made.claims)
        self._claims.update(made.claims)

    def _free(self, pids: set[int]) -> None:
        """Let go of the claims of resources that changed."""
        for claims in (self._holders, self._claims):
            for claim in [claim for claim, pid in claims.items() if pid in pids]:
                del claims[claim]

    def flush(self) -> None:
        """Write what was gathered, so that it can be searched."""
        if not self._versions:
            return
        connection = self.connection
        insert = sqlite_inserts.insert
        if self._renewed:
            sqlite_inserts.delete_of(connection, _CLEARED, sorted(self._renewed))
        insert(connection, "resource", RESOURCE_COLUMNS, list(self._resources.values()), _UPSERT)
        for pid, head in self._deletions.items():
            connection.execute(_MARK_DELETED, (head.version, head.seq, head.updated, pid))
        versions = [version_cells(version) for version in self._versions.values()]
        insert(connection, "version", VERSION_COLUMNS, versions)
        for kind, cells in cells_by_table(self._rows):
            insert(connection, kind.table.name, (*kind.columns, "pid"), cells)
        claims = [(*claim, pid) for claim, pid in self._claims.items()]
        insert(connection, "claim", _CLAIM, claims)
        self._forget()
