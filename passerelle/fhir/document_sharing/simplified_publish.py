"""A document published with its bytes in it, taken apart: what ITI-65 would have brought.

https://profiles.ihe.net/ITI/MHD/ITI-105.html (2:3.105.4.1.3): the recipient extracts the document
into a Binary, derives a submission set, and keeps the reference. Pure.
"""

import hashlib
from base64 import b64decode, b64encode
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.document_sharing import pdsm_rules
from passerelle.fhir.document_sharing.pdsm_profiles import (
    COMPREHENSIVE,
    LIST_TYPES,
    MHD_MINIMAL,
    MHD_SIMPLIFIED,
    MHD_SUBMISSION_SET,
    SIMPLIFIED,
    SOURCE_ID,
)
from passerelle.fhir.resource import Resource

PLACE = "DocumentReference.content[0].attachment"
DOCUMENT, BINARY, SUBMISSION_SET = (
    f"urn:uuid:9f6f1c1e-6f0a-4b5e-9d57-00000000010{number}" for number in (1, 2, 3)
)
"""How the three speak of one another until they have ids."""

SIMPLIFIED_ONES = (SIMPLIFIED, MHD_SIMPLIFIED)

SOURCES = ("Practitioner/", "PractitionerRole/", "Patient/", "Device/")
"""What may be the source of a List (https://hl7.org/fhir/R4/list.html)."""

PASSED_ON = ("source", "security", "tag")
"""Elements of ``meta`` that hold of the bytes and of the submission set as well."""


class Sent(NamedTuple):
    """The bytes that came in a document reference, and what is wrong with what it says of them."""

    size: int
    sha1: str
    issues: tuple[Issue, ...]


def measured(document: Resource) -> Sent:
    """Measure the bytes of a checked document reference; a fault when there are none."""
    if len(document["content"]) > 1:
        several = issue("document.element-repeated", "DocumentReference.content", element="content")
        return Sent(0, "", (several,))
    attachment = _attachment(document)
    if "data" not in attachment:
        missing = issue("document.element-missing", f"{PLACE}.data", element="data")
        return Sent(0, "", (missing,))
    data = b64decode("".join(attachment["data"].split()))
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    found = []
    if attachment.get("size", len(data)) != len(data):
        found.append(issue("document.size-mismatch", f"{PLACE}.size"))
    stated = attachment.get("hash")
    if stated is not None and b64decode("".join(stated.split())) != digest:
        found.append(issue("document.hash-mismatch", f"{PLACE}.hash"))
    return Sent(len(data), b64encode(digest).decode(), tuple(found))


def bundle(document: Resource, sent: Sent, *, now: str, source_id: str) -> Resource:
    """Make the transaction that keeps a document: its reference first, then Binary and List.

    ``now`` is the instant of the submission, ``source_id`` the address of whoever submits.
    """
    entries = (
        (DOCUMENT, _reference(document, sent)),
        (BINARY, _binary(document)),
        (SUBMISSION_SET, _submission_set(document, now, source_id)),
    )
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urn,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for urn, resource in entries
        ],
    }


def _reference(document: Resource, sent: Sent) -> Resource:
    """Give the reference without the bytes; it declares what it now conforms to."""
    attachment = {k: v for k, v in _attachment(document).items() if k not in ("data", "_data")}
    attachment |= {"url": "Binary/x", "size": sent.size, "hash": sent.sha1}
    content = [{**document["content"][0], "attachment": attachment}]
    made = {k: v for k, v in document.items() if k != "id"} | {"content": content}
    profile = COMPREHENSIVE if pdsm_rules.conforms(made, COMPREHENSIVE) else MHD_MINIMAL
    declared = document["meta"]["profile"]
    others = [one for one in declared if str(one).partition("|")[0] not in SIMPLIFIED_ONES]
    attachment["url"] = BINARY
    return made | {"meta": document["meta"] | {"profile": [*others, profile]}}


def _binary(document: Resource) -> Resource:
    attachment = _attachment(document)
    return _with_meta(
        {
            "resourceType": "Binary",
            "contentType": attachment.get("contentType", "application/octet-stream"),
            "securityContext": {"reference": DOCUMENT},
            "data": attachment["data"],
        },
        document,
    )


def _submission_set(document: Resource, now: str, source_id: str) -> Resource:
    authors = [one.get("reference", "") for one in document.get("author", ())]
    source = next((one for one in authors if one.startswith(SOURCES)), None)
    identifier = {"system": "urn:ietf:rfc:3986", "value": source_id}
    made: Resource = {
        "resourceType": "List",
        "meta": {"profile": [MHD_SUBMISSION_SET]},
        "extension": [{"url": SOURCE_ID, "valueIdentifier": identifier}],
        "status": "current",
        "mode": "working",
        "code": {"coding": [{"system": LIST_TYPES, "code": "submissionset"}]},
        **({"subject": document["subject"]} if "subject" in document else {}),
        "date": now,
        **({"source": {"reference": source}} if source else {}),
        "entry": [{"item": {"reference": DOCUMENT}}],
    }
    return _with_meta(made, document)


def _with_meta(resource: Resource, document: Resource) -> Resource:
    """Hand on whose it is, how confidential, and of which dossier."""
    given = document["meta"]
    passed = {name: given[name] for name in PASSED_ON if name in given}
    meta = {**resource.get("meta", {}), **passed}
    rest = {k: v for k, v in resource.items() if k not in ("resourceType", "meta")}
    head = {"resourceType": resource["resourceType"]}
    return {**head, **({"meta": meta} if meta else {}), **rest}


def _attachment(document: Resource) -> dict[str, Any]:
    attachment: dict[str, Any] = document["content"][0].get("attachment", {})
    return attachment
