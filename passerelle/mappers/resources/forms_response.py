"""A form to and from QuestionnaireResponse, and an Observation for each of its scores.

https://hl7.org/fhir/R4/questionnaireresponse.html , with identifier and subject as
``tddui-questionnaire-response`` demands them; https://hl7.org/fhir/R4/observation.html . Scores are
quantities of ``{score}`` (UCUM), as R4 looks for values among quantities only. The response lists
them in their order; one that it does not list is no score of it any more.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Literal

from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import forms_answers
from passerelle.mappers.resources.audience_labels import (
    audience_extensions,
    labels,
    native_audience,
)
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    codeable,
    extensions,
    filled,
    native_code,
    own,
    own_of,
    value_of,
)

TITLE = "http://hl7.org/fhir/StructureDefinition/display"
"""The title of what a canonical names; on ``questionnaire``."""

CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
UCUM = "http://unitsofmeasure.org"
SCORE = "{score}"
STATUSES = {
    "in-progress": "preliminary",
    "completed": "final",
    "amended": "amended",
    "entered-in-error": "entered-in-error",
}
"""Status of a form to that of its scores."""

NATIVE_STATUSES = {"stopped": "in-progress"}
"""What the native form calls otherwise: a response that was given up was not completed."""

Made = tuple[Resource, Literal["primary", "supporting"], bytes | None]


def to_fhir(form: Mapping[str, Any], entries: Entries) -> Iterator[Made]:
    """Make the QuestionnaireResponse of a form and the Observations of its scores."""
    scores = _named_scores(form, entries)
    yield _response(form, list(scores), entries), "primary", None
    for identifier, score in scores:
        yield _observation(form, identifier, score, entries), "supporting", None


def from_fhir(key: str, response: Resource, reading: Reading) -> Entry:
    """Read a native form from its response and the scores that it lists."""
    status = response["status"]
    title = next(iter(extensions(response.get("_questionnaire"), TITLE)), None)
    security = response.get("meta", {}).get("security", ())
    return filled(
        {
            "key": key,
            "definition": response.get("questionnaire"),
            "title": value_of(title),
            "status": NATIVE_STATUSES.get(status, status),
            "author": reading.member(response.get("author")),
            "authoredAt": response.get("authored"),
            "scores": _native_scores(response, reading),
            "answers": forms_answers.native_answers(response.get("item", ()), reading),
            "audience": native_audience(security, response, reading),
        }
    )


def _response(
    form: Mapping[str, Any], scores: list[tuple[Element, Element]], entries: Entries
) -> Resource:
    names, members = entries.names, entries.members
    identifier = names.identifier("forms", form["key"])
    title = form.get("title")
    listed = (names.reference("Observation", named) for named, _ in scores)
    return filled(
        {
            **_begun("QuestionnaireResponse", identifier, form, entries),
            "extension": [
                *(own("form-score", valueReference=reference) for reference in listed),
                *audience_extensions(form.get("audience"), members),
            ],
            "identifier": identifier,
            "questionnaire": form["definition"],
            "_questionnaire": {"extension": [{"url": TITLE, "valueString": title}]}
            if title
            else None,
            "status": form["status"],
            "subject": members.to(PERSON),
            "authored": form["authoredAt"],
            "author": members.to(form["author"]),
            "item": forms_answers.items(form.get("answers", ()), entries),
        }
    )


def _observation(
    form: Mapping[str, Any], identifier: Element, score: Mapping[str, Any], entries: Entries
) -> Resource:
    members = entries.members
    return filled(
        {
            **_begun("Observation", identifier, form, entries),
            "extension": audience_extensions(form.get("audience"), members),
            "identifier": [identifier],
            "status": STATUSES[form["status"]],
            "category": [{"coding": [{"system": CATEGORIES, "code": "survey"}]}],
            "code": codeable(score["code"]),
            "subject": members.to(PERSON),
            "effectiveDateTime": form["authoredAt"],
            "performer": [members.to(form["author"])],
            "valueQuantity": {
                "value": score["value"],
                "unit": "score",
                "system": UCUM,
                "code": SCORE,
            },
            "derivedFrom": [entries.to("forms", form["key"])],
        }
    )


def _begun(type: str, identifier: Element, form: Mapping[str, Any], entries: Entries) -> Resource:
    """Begin a resource that bears the labels of the form's audience."""
    made = resource(entries.names, type, identifier, None, tagged=True)
    return {**made, "meta": filled({**made["meta"], "security": labels(form.get("audience"))})}


def _named_scores(form: Mapping[str, Any], entries: Entries) -> list[tuple[Element, Element]]:
    """Give the scores, each with its identifier: by its code, so that it stays that of this score
    when others come and go; the second of a code is told by its number.
    """
    named: list[tuple[Element, Element]] = []
    count: dict[str, int] = {}
    for score in form.get("scores", ()):
        name = _score_name(score["code"])
        count[name] = count.get(name, 0) + 1
        number = () if count[name] == 1 else (str(count[name]),)
        identifier = entries.names.identifier("forms", form["key"], "score", name, *number)
        named.append((identifier, score))
    return named


def _score_name(code: Mapping[str, Any]) -> str:
    coded = f"{code['system']}|{code['code']}" if "code" in code else f"|{code['text']}"
    return sha256(coded.encode()).hexdigest()[:32]


def _native_scores(response: Resource, reading: Reading) -> list[Element]:
    found = (reading.target(value_of(one)) for one in own_of(response, "form-score"))
    withdrawn = response["status"] == "entered-in-error"
    return [
        {"code": code, "value": value}
        for one in found
        if one is not None and (withdrawn or one.get("status") != "entered-in-error")
        for code, value in (
            (native_code(one.get("code")), one.get("valueQuantity", {}).get("value")),
        )
        if code is not None and value is not None
    ]
