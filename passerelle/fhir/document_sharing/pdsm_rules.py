"""What PDSm states of its document references, submission sets and folders, restated as checks.

https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition-pdsm-comprehensive-document-reference.html
, -pdsm-simplified-publish.html , -pdsm-submissionset-comprehensive.html and
-pdsm-folder-comprehensive.html . The constraints of the guide (``constr-…``) are sentences without
an expression, so that no general validator checks them. Only what declares a profile is held to it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.document_sharing.pdsm_profiles import (
    COMPREHENSIVE,
    DESIGNATION_TYPE,
    FOLDER,
    SIMPLIFIED,
    SOURCE_ID,
    SUBMISSION_SET,
    list_type,
    profiles,
)
from passerelle.fhir.document_sharing.pdsm_terminologies import BINDINGS, DESIGNATION, Binding
from passerelle.fhir.resource import Resource

CONTENT = "content[0]"
FILE = f"{CONTENT}.attachment"
ABSENT: tuple[object, ...] = (None, [], {})


class Demands(NamedTuple):
    """What a profile wants: elements that must be there, must not, or stand once only.

    ``contained`` holds the references that must lead into the resource itself.
    """

    mandatory: tuple[str, ...]
    forbidden: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    contained: tuple[str, ...] = ()
    bindings: tuple[Binding, ...] = ()
    statuses: frozenset[str] = frozenset({"current"})


_ALWAYS = ("masterIdentifier", "subject", "date", "author", "custodian", "content")

DEMANDS: dict[str, Demands] = {
    COMPREHENSIVE: Demands(
        mandatory=(
            *_ALWAYS,
            *("type", "category", "securityLabel"),
            *(f"{FILE}.{name}" for name in ("contentType", "language", "url", "size", "hash")),
            *(f"{FILE}.{name}" for name in ("title", "creation")),
            f"{CONTENT}.format",
            *("context.period.start", "context.facilityType", "context.practiceSetting"),
            "context.sourcePatientInfo",
        ),
        forbidden=("modifierExtension", "docStatus", f"{FILE}.data"),
        single=("category", "content"),
        contained=("author", "authenticator", "context.sourcePatientInfo"),
        bindings=BINDINGS,
        statuses=frozenset({"current", "superseded"}),
    ),
    SIMPLIFIED: Demands(
        mandatory=(*_ALWAYS, *(f"{FILE}.{name}" for name in ("contentType", "data", "title"))),
        forbidden=("modifierExtension", "identifier", "docStatus", f"{FILE}.url"),
        single=("category", "content"),
        bindings=BINDINGS[:3],
    ),
    SUBMISSION_SET: Demands(
        mandatory=("subject", "date", "source"),
        forbidden=("modifierExtension", "encounter", "orderedBy", "emptyReason"),
        contained=("source",),
    ),
    FOLDER: Demands(
        mandatory=("title", "subject", "date", "entry"),
        forbidden=("modifierExtension", "encounter", "source", "orderedBy", "emptyReason"),
        statuses=frozenset({"current", "retired", "entered-in-error"}),
    ),
}
"""By profile."""

LIST_TYPES = {SUBMISSION_SET: "submissionset", FOLDER: "folder"}
"""What the code of a List says that it is."""

EXTENSIONS = {SUBMISSION_SET: (DESIGNATION_TYPE, SOURCE_ID), FOLDER: (DESIGNATION_TYPE,)}
"""The extensions that a List must bear."""


def check(resource: Resource) -> list[Issue]:
    """Give the issues of a sound resource under every PDSm profile that it declares."""
    found: dict[tuple[str, str | None], Issue] = {}
    for profile in sorted(profiles(resource) & DEMANDS.keys()):
        for said in _issues(resource, profile):
            found.setdefault((said.rule, said.expression), said)
    return list(found.values())


def conforms(resource: Resource, profile: str) -> bool:
    """Tell whether a resource meets what a profile states as errors, declared or not."""
    return not any(said.severity == "error" for said in _issues(resource, profile))


def _issues(resource: Resource, profile: str) -> Iterator[Issue]:
    """Give all issues. A document may always be withdrawn, though PDSm has no status for it."""
    type_, wanted = str(resource["resourceType"]), DEMANDS[profile]
    for path in wanted.mandatory:
        if _held(resource, path) in ABSENT:
            yield issue("document.element-missing", f"{type_}.{path}", element=_last(path))
    for path in wanted.forbidden:
        if _held(resource, path) not in ABSENT:
            yield issue("document.element-forbidden", f"{type_}.{path}", element=_last(path))
    for path in wanted.single:
        if len(resource.get(path, ())) > 1:
            yield issue("document.element-repeated", f"{type_}.{path}", element=path)
    status = resource.get("status")
    if profile == COMPREHENSIVE and status == "entered-in-error":
        yield issue("document.withdrawn", f"{type_}.status")
    elif status not in wanted.statuses:
        statuses = ", ".join(sorted(wanted.statuses))
        yield issue("document.status-not-shared", f"{type_}.status", statuses=statuses)
    for path in wanted.contained:
        yield from _outside(resource, type_, path)
    for binding in wanted.bindings:
        yield from _unbound(_held(resource, binding.path), f"{type_}.{binding.path}", binding)
    if type_ == "List":
        if list_type(resource) != LIST_TYPES[profile] or resource.get("mode") != "working":
            yield issue("document.list-type", "List.code", code=LIST_TYPES[profile])
        yield from _about_extensions(resource, profile)
    else:
        yield from _about_replacement(resource)
        if profile == COMPREHENSIVE:
            yield from _about_address(resource)


def _about_extensions(resource: Resource, profile: str) -> Iterator[Issue]:
    stood = resource.get("extension", ())
    for url in EXTENSIONS[profile]:
        held = [(place, one) for place, one in enumerate(stood) if one.get("url") == url]
        name = url.rpartition("/")[2]
        if not held:
            yield issue("document.element-missing", "List.extension", element=name)
        if len(held) > 1:
            yield issue("document.element-repeated", "List.extension", element=name)
        if url == DESIGNATION_TYPE and profile == SUBMISSION_SET:
            for place, one in held:
                value = one.get("valueCodeableConcept", {})
                where = f"List.extension[{place}].valueCodeableConcept"
                yield from _unbound(value, where, DESIGNATION)


def _about_replacement(resource: Resource) -> Iterator[Issue]:
    """constr-cdr-rempl, constr-bind-relatesTo: a replacement is told of once, and alone."""
    relations = resource.get("relatesTo", ())
    if len(relations) > 1 and any(one.get("code") == "replaces" for one in relations):
        yield issue("document.replaces-alone", "DocumentReference.relatesTo")


def _about_address(resource: Resource) -> Iterator[Issue]:
    """constr-bind-attachmenturl: the address of a Binary (a Bundle, for a FHIR document) or ours.

    MHD (ITI-65, 2:3.65.4.1.2.1) admits what is hosted elsewhere, and so does a search.
    """
    url = _held(resource, f"{FILE}.url")
    place = f"DocumentReference.{FILE}.url"
    if not isinstance(url, str) or url.startswith(("Binary/", "Bundle/")):
        return
    if url.lower().startswith(("http://", "https://")):
        return
    yield issue("document.attachment-url", place)


def _outside(resource: Resource, type_: str, path: str) -> Iterator[Issue]:
    """Warn of references that should lead to a contained resource.

    The examples of the guide itself do not, and MHD has an option without (UnContained).
    """
    held = _held(resource, path)
    many = isinstance(held, list)
    for place, one in enumerate(held if many else [held]):
        if isinstance(one, dict) and not str(one.get("reference", "#")).startswith("#"):
            where = f"{type_}.{path}" + (f"[{place}]" if many else "")
            yield issue("document.not-contained", where, element=_last(path))


def _unbound(value: Any, place: str, binding: Binding) -> Iterator[Issue]:
    """Say which concepts, or Coding, take no code from the terminologies of their constraint."""
    many = isinstance(value, list)
    for number, one in enumerate(value if many else [value]):
        if not isinstance(one, dict) or not one:
            continue
        codings = one.get("coding", ()) if not binding.is_coding else (one,)
        if not any(coding.get("system") in binding.systems for coding in codings):
            where = place + (f"[{number}]" if many else "")
            yield issue("document.terminology", where, constraint=binding.key, names=binding.names)


def _held(resource: Mapping[str, Any], path: str) -> Any:
    """Give what stands at a path of plain names; the ``_name`` of a primitive counts as well."""
    node: Any = resource
    for part in path.split("."):
        name, _, index = part.removesuffix("]").partition("[")
        if not isinstance(node, dict):
            return None
        node = node.get(name, node.get("_" + name))
        if index and isinstance(node, list):
            node = node[int(index)] if len(node) > int(index) else None
    return node


def _last(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]
