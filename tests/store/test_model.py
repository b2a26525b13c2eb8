"""Whatever is written in whatever order, the record is what a dict would be."""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from passerelle.errors.refusals import Conflict, PreconditionFailed
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import parse_criteria
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Claim, Delete, Expectation, Put, Stale, Unit
from passerelle.store.opening import open_store
from tests.store.drafts import make_draft

NAMES = ["a", "b", "c"]
OWN = [None, "x", "y"]
LANGUAGES = ["fr", "en"]
RUNS = count(1)

names, owns, languages = map(st.sampled_from, (NAMES, OWN, LANGUAGES))
writes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), names, owns, languages),
        st.tuples(st.just("delete"), names, st.none(), st.none()),
    ),
    min_size=1,
    max_size=4,
)


@dataclass
class Modelled:
    """A resource as the model knows it: its contents by version, None for a deletion."""

    log: list[tuple[str | None, str] | None] = field(default_factory=list)

    @property
    def living(self) -> tuple[str | None, str] | None:
        return self.log[-1] if self.log else None


class Record(RuleBasedStateMachine):
    """A record beside its model; names are its own, so that examples share a database."""

    database_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = open_store(self.database_url, clock=lambda: time.time_ns() // 1000)
        self.runner.run(self.store.open())
        self.prefix = f"m{next(RUNS)}"
        self.model: dict[str, Modelled] = {name: Modelled() for name in NAMES}

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()

    def key(self, name: str) -> Key:
        return Key("Patient", self.prefix + name)

    def draft(self, name: str, own: str | None, language: str) -> Any:
        rest = {} if own is None else {"own": self.prefix + own}
        return make_draft(self.prefix + name, language=language, shared=self.prefix, **rest)

    def commit(self, unit: Unit) -> Any:
        return self.runner.run(self.store.commit(unit, SYSTEM))

    def apply(self, given: list[Any]) -> dict[str, Modelled] | None:
        """Give the model after a unit, or None when an identifier would be held twice."""
        after = {name: Modelled(list(one.log)) for name, one in self.model.items()}
        for kind, name, own, language in given:
            one = after[name]
            if kind == "put" and one.living != (own, language):
                one.log.append((own, language))
            elif kind == "delete" and one.living is not None:
                one.log.append(None)
        held = [one.living[0] for one in after.values() if one.living and one.living[0]]
        return after if len(held) == len(set(held)) else None

    @rule(given=writes)
    def write(self, given: list[Any]) -> None:
        """A unit of several writes, all or nothing."""
        unit = Unit(
            tuple(
                Put(self.draft(name, own, language)) if kind == "put" else Delete(self.key(name))
                for kind, name, own, language in given
            )
        )
        after = self.apply(given)
        if after is None:
            with pytest.raises(Conflict):
                self.commit(unit)
        else:
            self.commit(unit)
            self.model = after

    @rule(name=names, own=owns, language=languages, offset=st.sampled_from([0, 0, 0, 1, -1]))
    def write_if_match(self, name: str, own: str | None, language: str, offset: int) -> None:
        """An update under If-Match."""
        one = self.model[name]
        given = len(one.log) + offset
        unit = Unit((Put(self.draft(name, own, language), if_match=given),))
        after = self.apply([("put", name, own, language)])
        if one.living is None or offset != 0:
            with pytest.raises(PreconditionFailed):
                self.commit(unit)
        elif after is None:
            with pytest.raises(Conflict):
                self.commit(unit)
        else:
            self.commit(unit)
            self.model = after

    @rule(name=names, own=owns, language=languages)
    def create(self, name: str, own: str | None, language: str) -> None:
        """A create of what must be new."""
        unit = Unit((Put(self.draft(name, own, language), "POST", None, True),))
        after = self.apply([("put", name, own, language)])
        if self.model[name].living is not None or after is None:
            with pytest.raises(Conflict):
                self.commit(unit)
        else:
            self.commit(unit)
            self.model = after

    @rule(name=names, language=languages, ids=st.lists(names, unique=True, max_size=2))
    def write_as_expected(self, name: str, language: str, ids: list[str]) -> None:
        """A write on the condition that a search designates just these."""
        query = parse_criteria("Patient", f"identifier=urn:shared|{self.prefix}")
        expected = tuple(self.prefix + one for one in ids)
        unit = Unit((Put(self.draft(name, None, language)),), (Expectation(query, expected, "x"),))
        if self.found() == expected:
            self.commit(unit)
            after = self.apply([("put", name, None, language)])
            assert after is not None
            self.model = after
        else:
            with pytest.raises(Stale):
                self.commit(unit)

    def found(self) -> tuple[str, ...]:
        query = parse_criteria("Patient", f"identifier=urn:shared|{self.prefix}")
        return self.runner.run(self.store.matching(query, SYSTEM, limit=10))

    @invariant()
    def heads_and_histories_agree(self) -> None:
        for name, one in self.model.items():
            history = self.runner.run(self.store.history(self.key(name), SYSTEM, count=100))
            said = [version.body is not None for version in reversed(history)]
            assert said == [content is not None for content in one.log]
            assert [v.version for v in history] == list(range(len(one.log), 0, -1))
            head = self.runner.run(self.store.read(self.key(name), SYSTEM))
            assert head == (history[0] if history else None)
            if one.living is not None and head is not None and head.body is not None:
                assert f'"language": "{one.living[1]}"'.encode() in head.body

    @invariant()
    def searches_and_claims_agree(self) -> None:
        living = {self.prefix + name for name, one in self.model.items() if one.living}
        assert set(self.found()) == living
        for own in ("x", "y"):
            claim = Claim("urn:own", self.prefix + own)
            holder = self.runner.run(self.store.claimed("Patient", claim, SYSTEM))
            wanted = [n for n, one in self.model.items() if one.living and one.living[0] == own]
            assert holder == (self.key(wanted[0]) if wanted else None)


def run_model(database_url: str, examples: int, steps: int) -> None:
    machine = type("Record", (Record,), {"database_url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def test_the_record_is_what_a_dict_would_be(database_url: str) -> None:
    run_model(database_url, 12, 15)


@pytest.mark.nightly
def test_the_record_is_what_a_dict_would_be_for_long(database_url: str) -> None:
    run_model(database_url, 300, 40)
