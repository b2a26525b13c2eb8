"""Searches that were once answered wrongly, and what a French user expects, on real databases.

Each case of the first part was found by ``test_search_oracle.py``.
"""

from typing import Any

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Store
from tests.store.search_records import Record, ask, fill, record, through

__all__ = ["record"]

UCUM = "http://unitsofmeasure.org"


def kept(type: str, **resources: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"resourceType": type, "id": id, **held} for id, held in resources.items()]


def found(record: Record, type: str, *pairs: tuple[str, str]) -> list[str]:
    return through(record, ask(type, *pairs))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lt0.5", []),
        ("gt0.5", []),
        ("le0.5", ["a"]),
        ("0.50", ["a"]),
        ("0.5", ["a"]),
        ("ap0.54", ["a"]),
        ("ap0.6", []),
    ],
)
def test_a_number_that_is_kept_is_the_number_that_is_written(
    record: Record, text: str, wanted: list[str]
) -> None:
    fill(record, kept("RiskAssessment", a={"prediction": [{"probabilityDecimal": 0.5}]}))
    assert found(record, "RiskAssessment", ("probability", text)) == wanted


def test_what_is_said_in_words_or_by_an_identifier_only_is_not_missing(record: Record) -> None:
    resources = kept(
        "Observation",
        a={"code": {"text": "tension"}, "subject": {"display": "Mme Dupont"}},
        b={"code": {"coding": [{"code": "c"}]},
           "subject": {"identifier": {"system": "urn:s", "value": "1"}}},
        c={},
    )  # fmt: skip
    fill(record, resources)
    assert found(record, "Observation", ("code:missing", "true")) == ["c"]
    assert found(record, "Observation", ("code:missing", "false")) == ["a", "b"]
    assert found(record, "Observation", ("subject:missing", "false")) == ["b"]
    assert found(record, "Observation", ("subject:identifier", "urn:s|1")) == ["b"]


def test_a_range_without_an_end_is_compared_in_canonical_units(record: Record) -> None:
    high = {"value": 5.4, "system": UCUM, "code": "cm"}
    use = {"code": {"system": "urn:u", "code": "size"}, "valueRange": {"high": high}}
    fill(record, kept("PlanDefinition", a={"useContext": [use]}))
    asked = f"urn:u|size$lt0.01|{UCUM}|m"
    assert found(record, "PlanDefinition", ("context-type-quantity", asked)) == ["a"]
    assert found(record, "PlanDefinition", ("context-quantity", f"gt0.06|{UCUM}|m")) == []


def test_a_number_of_seventeen_digits_finds_itself(record: Record) -> None:
    height = {"value": 66.89999999999999, "system": UCUM, "code": "[in_i]"}
    fill(record, kept("Observation", a={"valueQuantity": height}))
    asked = f"66.89999999999999|{UCUM}|[in_i]"
    assert found(record, "Observation", ("value-quantity", asked)) == ["a"]
    assert found(record, "Observation", ("value-quantity", "ne" + asked)) == []
    assert found(record, "Observation", ("value-quantity", "66.9")) == ["a"]


def test_a_chain_leads_to_a_type_that_has_no_parameters_of_its_own(record: Record) -> None:
    item = {"item": {"reference": "SubstanceNucleicAcid/n"}}
    fill(record, [
        *kept("SubstanceNucleicAcid", n={"meta": {"profile": ["http://e.fr/p"]}}),
        *kept("List", l={"entry": [item]}),
    ])  # fmt: skip
    for name in ("item:SubstanceNucleicAcid._profile", "item._profile"):
        assert found(record, "List", (name, "http://e.fr/p")) == ["l"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("subject ne Patient/1", ["b", "c"]),
        ("subject ne 1", ["b", "c"]),
        ("subject eq Patient/1", ["a"]),
        ("_profile ne http://e.fr/p|1", ["b"]),
        ("_profile ne http://e.fr/p", ["b"]),
        ("_profile ne http://e.fr/q|2", ["a"]),
        ("instantiates-canonical ne http://e.fr/d|1", ["b"]),
        ("instantiates-canonical ne http://e.fr/d", ["b"]),
        ("instantiates-canonical ne http://e.fr/d|2", ["a", "b"]),
        ("not (instantiates-canonical ne http://e.fr/d)", ["a", "c"]),
        ("instantiates-uri sb urn:x/a/b", ["b", "c"]),
        ("instantiates-uri ss urn:x/a", ["b", "c"]),
        ("instantiates-uri ss urn:x/a/b", ["c"]),
    ],
)
def test_another_reference_is_none_of_its_spellings(
    record: Record, text: str, wanted: list[str]
) -> None:
    resources = kept(
        "ServiceRequest",
        a={"subject": {"reference": "Patient/1"}, "instantiatesCanonical": ["http://e.fr/d|1"],
           "meta": {"profile": ["http://e.fr/p|1"]}},
        b={"subject": {"reference": "Patient/2"}, "instantiatesUri": ["urn:x/a"],
           "instantiatesCanonical": ["http://e.fr/o"],
           "meta": {"profile": ["http://e.fr/q"]}},
        c={"instantiatesUri": ["urn:x/a/b"], "subject": {"reference": "Group/3"}},
    )  # fmt: skip
    fill(record, resources)
    assert found(record, "ServiceRequest", ("_filter", text)) == wanted


def test_a_part_of_a_code_is_looked_for_without_its_system(record: Record) -> None:
    fill(record, kept("Observation", a={"code": {"coding": [{"system": "urn:s", "code": "abc"}]}}))
    assert found(record, "Observation", ("_filter", "code co b")) == ["a"]
    for value in ("urn:s|b", "urn:s|"):
        with pytest.raises(Invalid):
            found(record, "Observation", ("_filter", f"code co {value}"))


@pytest.mark.anyio
@pytest.mark.parametrize("links", [2, 6])
async def test_what_the_database_cannot_read_is_refused_as_too_nested(
    store: Store, links: int
) -> None:
    """The parser of SQLite holds 100 levels; no search may end in a fault of the server."""
    way = "partof." * links
    query = ask(
        "Location",
        (way + "status:not", "active"),
        (way + "_tag:not", "a"),
        ("_has:Location:partof:" + "partof." * (links - 1) + "status:not", "active"),
        ("_filter", "((name co x) or (name co y)) or (name co z)"),
    )
    refused: Invalid | None = None
    try:
        await store.search(query, SYSTEM)
    except Invalid as refusal:
        refused = refusal
    assert refused is None or links > 2
    assert refused is None or refused.issues[0].rule == "search.too-nested"


PEOPLE = kept(
    "Patient",
    eleonore={"name": [{"family": "Lefèvre", "given": ["Éléonore"]}]},
    almeida={"name": [{"family": "D'ALMEIDA", "given": ["Jean-Pierre"]}]},
    particle={"name": [{"family": "de La Tour", "given": ["François", "Noël"]}]},
    oeuvre={"name": [{"family": "L’Œuvre-Saint-Étienne"}]},
)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("given", "eleonore", ["eleonore"]),
        ("given", "ÉLÉONORE", ["eleonore"]),
        ("given", "Ele\u0301onore", ["eleonore"]),
        ("given", "E\u0301le\u0301onore", ["eleonore"]),
        ("given:exact", "Éléonore", ["eleonore"]),
        ("given:exact", "Eléonore", []),
        ("family", "lefevre", ["eleonore"]),
        ("family", "d'almeida", ["almeida"]),
        ("family", "D’Almeida", ["almeida"]),
        ("family", "d almeida", ["almeida"]),
        ("family:contains", "almeida", ["almeida"]),
        ("given", "jean pierre", ["almeida"]),
        ("given", "JEAN-PIERRE", ["almeida"]),
        ("given", "Jean", ["almeida"]),
        ("given", "Pierre", []),
        ("family", "de la tour", ["particle"]),
        ("family", "DE-LA-TOUR", ["particle"]),
        ("family", "La Tour", []),
        ("family:contains", "la tour", ["particle"]),
        ("given", "francois", ["particle"]),
        ("given", "Noel", ["particle"]),
        ("family", "l'oeuvre saint etienne", ["oeuvre"]),
        ("family:contains", "œuvre", ["oeuvre"]),
    ],
)
def test_names_are_found_as_they_are_said_in_france(
    record: Record, name: str, text: str, wanted: list[str]
) -> None:
    fill(record, PEOPLE)
    assert found(record, "Patient", (name, text)) == wanted


MOMENTS = kept(
    "Encounter",
    late={"period": {"start": "2026-03-28T23:30:00Z", "end": "2026-03-28T23:45:00Z"}},
    summer={"period": {"start": "2026-03-29T23:30:00+02:00", "end": "2026-03-29T23:45:00+02:00"}},
    whole={"period": {"start": "2026-03-29", "end": "2026-03-29"}},
    month={"period": {"start": "2026-03", "end": "2026-03"}},
    open={"period": {"start": "2026-03-29"}},
    next={"period": {"start": "2026-03-29T22:00:00Z", "end": "2026-03-29T22:10:00Z"}},
)
"""2026-03-29 has 23 hours in France: from 23:00Z on the 28th to 22:00Z."""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-03-29", ["late", "summer", "whole"]),
        ("2026-03", ["late", "summer", "whole", "month", "next"]),
        ("2026-03-30", ["next"]),
        ("ge2026-03-30", ["month", "open", "next"]),
        ("sa2026-03-29", ["next"]),
        ("lt2026-03-29", ["month"]),
        ("eb2026-03-29T12:00:00+02:00", ["late"]),
        ("ne2026-03-29", ["month", "open", "next"]),
        ("2026-03-28T23:00:00Z,2026-03-30", ["next"]),
        ("2026", ["late", "summer", "whole", "month", "next"]),
    ],
)
def test_a_day_is_one_of_france(record: Record, text: str, wanted: list[str]) -> None:
    fill(record, MOMENTS)
    assert found(record, "Encounter", ("date", text)) == wanted
