"""The error invariants of the resource types that the gateway lives by, as predicates.

https://hl7.org/fhir/R4/patient.html#invs and the same page of each type. Each law gives the places
where it is broken, relative to the resource (an empty text is the resource itself). A law says
nothing about what is not of the right shape: that is told by the structure.
"""

from collections.abc import Callable, Iterator
from typing import Any

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.conformance import bundle_laws
from passerelle.fhir.conformance.datatype_laws import has
from passerelle.fhir.conformance.primitives import in_order

Node = dict[str, Any]
Places = Iterator[str]
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def faults(type_name: str, resource: Node, place: str) -> Iterator[Issue]:
    """Tell which laws of its type a resource breaks, and where."""
    for key, law in LAWS.get(type_name, ()):
        for where in law(resource):
            yield issue(f"structure.{key}", f"{place}.{where}" if where else place)


def _each(node: Node, name: str) -> Iterator[tuple[str, Node]]:
    """Give the objects of a repeated element with their places."""
    values = node.get(name)
    if isinstance(values, list):
        for index, value in enumerate(values):
            if isinstance(value, dict):
                yield f"{name}[{index}]", value


def _one_of(element: str, *names: str) -> Callable[[Node], Places]:
    """Each of a repeated element has at least one of these."""

    def law(resource: Node) -> Places:
        for where, node in _each(resource, element):
            if not any(has(node, name) for name in names):
                yield where

    return law


def _not_at_home(element: str) -> Callable[[Node], Places]:
    """No ``use`` of a repeated element is ``home``."""

    def law(resource: Node) -> Places:
        for where, node in _each(resource, element):
            if node.get("use") == "home":
                yield where

    return law


def _only_when(element: str, holder: str, mode: str) -> Callable[[Node], Places]:
    """An element of the entries is there only in this mode of a list."""

    def law(resource: Node) -> Places:
        if resource.get("mode") != mode:
            for where, node in _each(resource, holder):
                if has(node, element):
                    yield f"{where}.{element}"

    return law


def _not_both(element: str, first: str, second: str) -> Callable[[Node], Places]:
    """Each of a repeated element, at every depth, has not both of these."""

    def law(node: Node) -> Places:
        for where, inner in _each(node, element):
            if has(inner, first) and has(inner, second):
                yield where
            for deeper in law(inner):
                yield f"{where}.{deeper}"

    return law


def _organization_named(resource: Node) -> Places:
    if not has(resource, "name") and "identifier" not in resource:
        yield ""


def _on_behalf(resource: Node) -> Places:
    for where, node in _each(resource, "participant"):
        member = node.get("member")
        text = member.get("reference") if isinstance(member, dict) else None
        elsewhere = isinstance(text, str) and "/" in text and "Practitioner/" not in text
        if "onBehalfOf" in node and (member is None or elsewhere):
            yield f"{where}.onBehalfOf"


def _both_ends(resource: Node) -> Places:
    if has(resource, "start") != has(resource, "end"):
        yield ""


def _dated(resource: Node) -> Places:
    whole = has(resource, "start") and has(resource, "end")
    if not whole and resource.get("status") not in ("proposed", "cancelled", "waitlist"):
        yield ""


def _cancelled(resource: Node) -> Places:
    if "cancelationReason" in resource and resource.get("status") not in ("cancelled", "noshow"):
        yield "cancelationReason"


def _modified_after(resource: Node) -> Places:
    if not in_order(resource.get("authoredOn"), resource.get("lastModified")):
        yield "lastModified"


def _answered(resource: Node) -> Places:
    if "participantType" not in resource and "actor" not in resource:
        yield ""


def _empty_when_said_so(resource: Node) -> Places:
    if "emptyReason" in resource and "entry" in resource:
        yield "emptyReason"


def _abated(resource: Node) -> Places:
    abated = any(name.lstrip("_").startswith("abatement") for name in resource)
    status = _codes(resource.get("clinicalStatus"), CLINICAL)
    if abated and not status & {"resolved", "remission", "inactive"}:
        yield "clinicalStatus"


def _entered_in_error(resource: Node) -> Places:
    wrong = "entered-in-error" in _codes(resource.get("verificationStatus"), VERIFIED)
    if wrong and "clinicalStatus" in resource:
        yield "clinicalStatus"


def _codes(concept: object, system: str) -> set[str]:
    """Give the codes of a system that a CodeableConcept has."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    held = [one for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
    codes = (coding.get("code") for coding in held if coding.get("system") == system)
    return {code for code in codes if isinstance(code, str)}


def _policy(resource: Node) -> Places:
    if "policy" not in resource and "policyRule" not in resource:
        yield ""


def _name_or_query(resource: Node) -> Places:
    for where, node in _each(resource, "entity"):
        if has(node, "name") and has(node, "query"):
            yield where


def _parameter(resource: Node) -> Places:
    yield from _parameters(resource, "parameter")


def _parameters(node: Node, name: str) -> Places:
    for where, inner in _each(node, name):
        valued = any(member.startswith(("value", "_value")) for member in inner)
        held = [valued, "resource" in inner, "part" in inner]
        if sum(held) != 1:
            yield where
        for deeper in _parameters(inner, "part"):
            yield f"{where}.{deeper}"


def _section(resource: Node) -> Places:
    yield from _sections(resource)


def _sections(node: Node) -> Places:
    for where, inner in _each(node, "section"):
        if not any(name in inner for name in ("text", "entry", "section")):
            yield where
        for deeper in _sections(inner):
            yield f"{where}.{deeper}"


def _emptiness(node: Node) -> Places:
    for where, inner in _each(node, "section"):
        if "emptyReason" in inner and "entry" in inner:
            yield f"{where}.emptyReason"
        for deeper in _emptiness(inner):
            yield f"{where}.{deeper}"


def _absent_or_valued(resource: Node) -> Places:
    valued = any(name.startswith(("value", "_value")) for name in resource)
    if valued and "dataAbsentReason" in resource:
        yield "dataAbsentReason"


def _answer_or_item(node: Node) -> Places:
    for where, inner in _each(node, "item"):
        if "answer" in inner and "item" in inner:
            yield where
        for deeper in _answer_or_item(inner):
            yield f"{where}.{deeper}"
        for answer, held in _each(inner, "answer"):
            for deeper in _answer_or_item(held):
                yield f"{where}.{answer}.{deeper}"


LAWS: dict[str, tuple[tuple[str, Callable[[Node], Places]], ...]] = {
    "Appointment": (
        ("app-1", _one_of("participant", "type", "actor")),
        ("app-2", _both_ends),
        ("app-3", _dated),
        ("app-4", _cancelled),
    ),
    "AppointmentResponse": (("apr-1", _answered),),
    "AuditEvent": (("sev-1", _name_or_query),),
    "Bundle": bundle_laws.LAWS,
    "CarePlan": (("cpl-3", _not_both("activity", "detail", "reference")),),
    "CareTeam": (("ctm-1", _on_behalf),),
    "Composition": (("cmp-1", _section), ("cmp-2", _emptiness)),
    "Condition": (
        ("con-1", _one_of("stage", "summary", "assessment")),
        ("con-2", _one_of("evidence", "code", "detail")),
        ("con-4", _abated),
        ("con-5", _entered_in_error),
    ),
    "Consent": (("ppc-1", _policy),),
    "List": (
        ("lst-1", _empty_when_said_so),
        ("lst-2", _only_when("deleted", "entry", "changes")),
        ("lst-3", _only_when("date", "entry", "working")),
    ),
    "Observation": (("obs-6", _absent_or_valued),),
    "Organization": (
        ("org-1", _organization_named),
        ("org-2", _not_at_home("address")),
        ("org-3", _not_at_home("telecom")),
    ),
    "Parameters": (("par-1", _parameter),),
    "Patient": (("pat-1", _one_of("contact", "name", "telecom", "address", "organization")),),
    "QuestionnaireResponse": (("qrs-1", _answer_or_item),),
    "Task": (("tsk-1", _modified_after),),
}
