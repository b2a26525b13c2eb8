"""The table of search parameters."""

import pytest

from passerelle.fhir.search.expressions import compile_expression
from passerelle.fhir.search.search_parameters import (
    ANY,
    TYPES_WITH_PARAMETERS,
    Parameter,
    by_id,
    indexed,
    parameters,
)

FIXED = {
    ("Resource", "_id"): 1,
    ("Resource", "_tag"): 6,
    ("Appointment", "actor"): 7,
    ("CareTeam", "participant-end"): 35,
    ("Patient", "identifier"): 111,
    ("Practitioner", "identifier"): 130,
}
"""Ids that index rows in the field carry: they may never change."""


def every() -> list[Parameter]:
    own = [entry for type in sorted(TYPES_WITH_PARAMETERS) for entry in indexed(type).values()]
    return list({entry.id: entry for entry in own}.values())


def test_ids_are_stable() -> None:
    for (type, code), id in FIXED.items():
        found = parameters("Task" if type == ANY else type)[code]
        assert (found.id, found.type) == (id, type)
        assert by_id(id) == found


def test_ids_and_codes_are_unique() -> None:
    assert len({entry.id for entry in every()}) == len(every())
    assert len({(entry.type, entry.code) for entry in every()}) == len(every())


def test_every_expression_is_of_a_shape_that_compiles() -> None:
    for entry in every():
        assert compile_expression(entry.type, entry.expression), entry.code


def test_an_expression_of_another_shape_is_refused() -> None:
    for expression in (
        "Patient.name.first()",
        "Patient.name.where(period > 1)",
        "Patient.nom",
        "Patient.name.where(nom='a')",
        "Patient.name[a]",
        "Patient.name |",
        "Patient.name.where(",
        "Patient..name",
        "'a",
        "",
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - its words are the programmer's
            compile_expression("Patient", expression)


def test_a_reference_says_what_it_may_lead_to() -> None:
    for entry in every():
        assert bool(entry.targets) == (entry.kind == "reference"), entry.code


def test_a_type_without_parameters_of_its_own_has_the_common_ones() -> None:
    assert sorted(parameters("Binary")) == [
        *("_content", "_id", "_lastUpdated", "_profile", "_security", "_source", "_tag", "_text")
    ]
    assert "Binary" not in TYPES_WITH_PARAMETERS


def test_the_parameters_of_the_french_guides_are_there() -> None:
    careteam = parameters("CareTeam")
    assert careteam["participant-end"].expression == "CareTeam.participant.period.end"
    assert careteam["managingOrganization"].targets == ("Organization",)
    assert {"start", "end", "participant-start"} <= careteam.keys()
    assert parameters("Patient")["birthplace"].kind == "string"
    assert {"isArchived", "period-start", "period-end"} <= parameters("DocumentReference").keys()
    assert {"created", "description", "priority", "start"} <= parameters("Appointment").keys()


def test_a_plain_code_has_its_implied_system() -> None:
    patient = parameters("Patient")
    assert patient["gender"].system == "http://hl7.org/fhir/administrative-gender"
    assert patient["active"].system == ""
    assert patient["identifier"].system is None
