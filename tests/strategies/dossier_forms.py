"""Forms of a native dossier, for property tests: every field and kind of value, all valid."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from passerelle.mappers.native.dossier import Entry
from tests.strategies.dossier_values import (
    audiences,
    codes,
    instants,
    lines,
    optional,
    systems,
    texts,
    tokens,
    whens,
    years_months_days,
)

decimals = st.sampled_from(("0.5", "-12.25", "0.000001", "70.125", "999999999999999.5")).map(
    Decimal
)
numbers = st.integers(-(10**15), 10**15) | decimals
scores = st.fixed_dictionaries(
    {"code": codes("http://loinc.org", "https://source.example/scores"), "value": numbers}
)


def _alone(name: str, values: Any) -> Any:
    return st.fixed_dictionaries({name: values})


@st.composite
def _quantities(draw: st.DrawFn) -> Entry:
    fields: dict[str, Any] = {
        "comparator": st.sampled_from(("<", "<=", ">=", ">")),
        "unit": lines,
        "system": st.just("http://unitsofmeasure.org"),
    }
    made: Entry = draw(optional({"value": numbers}, **fields))
    if "system" in made and draw(st.booleans()):
        made["code"] = draw(tokens)
    return made


def values(abouts: list[str]) -> Any:
    """Draw one value of an answer; ``abouts`` are keys that one entry bears."""
    named = [_alone("entry", st.sampled_from(abouts))] if abouts else []
    return st.one_of(
        st.booleans(),
        numbers,
        texts,
        st.sampled_from(("2026-01-20", "14:30:00", "https://exemple.fr", "12")),
        optional({"system": systems, "code": tokens}, display=lines),
        _quantities(),
        _alone("date", years_months_days()),
        _alone("dateTime", whens),
        _alone("time", st.sampled_from(("00:00:00", "14:30:00", "23:59:59.125"))),
        _alone("uri", systems),
        _alone("decimal", st.integers(-(2**31) + 1, 2**31 - 1)),
        *named,
    )


@st.composite
def answers(draw: st.DrawFn, abouts: list[str], depth: int = 2) -> Entry:
    """Draw one answer, with what stands below it."""
    fields: dict[str, Any] = {"text": texts, "values": st.lists(values(abouts), max_size=2)}
    if depth:
        fields["items"] = st.lists(answers(abouts, depth - 1), max_size=2)
    made: Entry = draw(optional({"link": lines}, **fields))
    return made


@st.composite
def forms(draw: st.DrawFn, key: str, references: Any, abouts: list[str]) -> Entry:
    """Draw a form; ``references`` draws members."""
    made: Entry = draw(
        optional(
            {
                "key": st.just(key),
                "definition": st.sampled_from(
                    ("https://source.example/Questionnaire/ppcs|1", "urn:oid:1.2.3", "urn:x:y|2.0")
                ),
                "status": st.sampled_from(
                    ("in-progress", "completed", "amended", "entered-in-error")
                ),
                "author": references,
                "authoredAt": instants(),
            },
            title=lines,
            scores=st.lists(scores, max_size=3) | scores.map(lambda score: [score, score]),
            answers=st.lists(answers(abouts), max_size=2),
            audience=audiences(references),
        )
    )
    return made
