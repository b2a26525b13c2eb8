"""What the person was told and what was decided of the sharing, to and from Consent.

https://hl7.org/fhir/R4/consent.html : each decision is one, `scope` patient-privacy and `category`
LOINC 59284-0 as the French guides have it. A withdrawal is a consent that is inactive. The
information that was given and the protection regime stand on one Consent of the dossier, which
decides nothing.
"""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PASSERELLE
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    chosen,
    filled,
    own,
    own_value,
)

SCOPES = PASSERELLE + "/CodeSystem/sharing-scope"
SECTION_CODES = PASSERELLE + "/CodeSystem/dossier-section"
POLICIES = PASSERELLE + "/CodeSystem/sharing-policy"
INFORMATION = "information"
"""Code of the scope of the Consent that says only what the person was told."""

_PRIVACY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": "patient-privacy",
        }
    ]
}
_CATEGORY = {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}
_ACTIONS = "http://terminology.hl7.org/CodeSystem/consentaction"
_RECIPIENT = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
    ]
}
_KINDS = {
    "consent": ("active", "permit"),
    "opposition": ("active", "deny"),
    "withdrawal": ("inactive", "permit"),
}
"""Kind of a decision to the status of its Consent and the type of its provision."""

_NATIVE_KINDS = {fhir: native for native, fhir in _KINDS.items()}

_ON_SCOPE = {
    "dossier": ("L1110-4", "access"),
    "member": ("L1110-4", "access"),
    "structure": ("L1110-4", "access"),
    "section": ("L1110-4", "access"),
    "document": ("L1110-4", "access"),
    "dmp-read": ("L1111-17", "access"),
    "dmp-write": ("L1111-15", "disclose"),
    "secondary-use": ("RGPD", "use"),
}
"""Scope of a decision to the text it rests on and the action that is permitted or denied."""


def to_fhir(decision: Mapping[str, Any], entries: Entries) -> Resource:
    """Make the Consent of a decision."""
    identifier = entries.names.identifier("sharing", decision["key"])
    status, type = _KINDS[decision["kind"]]
    policy, action = _ON_SCOPE[decision["scope"]]
    return filled(
        {
            **resource(entries.names, "Consent", identifier, None, tagged=True),
            "extension": _facts(decision, decision.get("collectedBy"), entries),
            "identifier": [identifier],
            "status": status,
            "scope": _PRIVACY,
            "category": [_CATEGORY, _scope(decision["scope"])],
            "patient": entries.members.to(PERSON),
            "dateTime": decision["at"],
            "performer": chosen((entries.members.to(decision.get("givenBy")),)),
            "policyRule": {"coding": [{"system": POLICIES, "code": policy}]},
            "provision": filled(
                {
                    "type": type,
                    "period": filled({"end": decision.get("until")}),
                    **_target(decision, entries),
                    "action": [{"coding": [{"system": _ACTIONS, "code": action}]}],
                }
            ),
        }
    )


def from_fhir(key: str, consent: Resource, reading: Reading) -> Entry:
    """Read a native decision from its Consent."""
    provision = consent.get("provision", {})
    kind = _NATIVE_KINDS.get((consent.get("status", ""), provision.get("type", "")))
    performer = next(iter(consent.get("performer", ())), None)
    return filled(
        {
            "key": key,
            "kind": kind or ("opposition" if provision.get("type") == "deny" else "withdrawal"),
            "scope": _native_scope(consent),
            "target": own_value(consent, "consent-target"),
            "at": consent.get("dateTime"),
            "until": provision.get("period", {}).get("end"),
            "givenBy": reading.member(performer),
            "collectedBy": reading.member(own_value(consent, "consent-collected-by")),
            "means": own_value(consent, "consent-means"),
            "legitimateReason": own_value(consent, "consent-legitimate-reason"),
        }
    )


def information(sharing: Mapping[str, Any], entries: Entries) -> Resource | None:
    """Make the Consent that says what the person was told and how it is protected, if anything."""
    informed, protection = sharing.get("informed"), sharing.get("protection")
    if not informed and not protection:
        return None
    informed = informed or {}
    identifier = entries.names.identifier("sharing")
    regime = own("protection-regime", valueCode=protection) if protection else None
    return filled(
        {
            **resource(entries.names, "Consent", identifier, None, tagged=True),
            "extension": chosen((*_facts(informed, informed.get("by"), entries), regime)),
            "identifier": [identifier],
            "status": "active",
            "scope": _PRIVACY,
            "category": [_CATEGORY, _scope(INFORMATION)],
            "patient": entries.members.to(PERSON),
            "dateTime": informed.get("at"),
            "policyRule": {"coding": [{"system": POLICIES, "code": "L1110-4"}]},
        }
    )


def information_from_fhir(reading: Reading) -> Entry:
    """Read what the person was told and how it is protected."""
    named = reading.names.identifier("sharing")
    found = (one for one in reading.of_type("Consent") if named in one.get("identifier", ()))
    consent = next(found, None)
    informed = filled(
        {
            "at": (consent or {}).get("dateTime"),
            "by": reading.member(own_value(consent, "consent-collected-by")),
            "means": own_value(consent, "consent-means"),
            "noticeVersion": own_value(consent, "consent-notice-version"),
        }
    )
    return filled({"informed": informed, "protection": own_value(consent, "protection-regime")})


def _facts(stated: Mapping[str, Any], by: str | None, entries: Entries) -> list[Element]:
    reason, notice = stated.get("legitimateReason"), stated.get("noticeVersion")
    target, means = stated.get("target"), stated.get("means")
    return chosen(
        (
            own("consent-collected-by", valueReference=entries.members.to(by)) if by else None,
            own("consent-means", valueCode=means) if means else None,
            own("consent-legitimate-reason", valueString=reason) if reason else None,
            own("consent-notice-version", valueString=notice) if notice else None,
            own("consent-target", valueString=target) if target else None,
        )
    )


def _scope(code: str) -> Element:
    return {"coding": [{"system": SCOPES, "code": code}]}


def _native_scope(consent: Resource) -> str | None:
    codings = (c for category in consent.get("category", ()) for c in category.get("coding", ()))
    return next((c.get("code") for c in codings if c.get("system") == SCOPES), None)


def _target(decision: Mapping[str, Any], entries: Entries) -> Element:
    """Give who or what a decision is about, where R4 has an element for it."""
    target, scope = decision.get("target"), decision["scope"]
    if target is None:
        return {}
    if scope in ("member", "structure") and ("circle", target) in entries.keys:
        return {"actor": [{"role": _RECIPIENT, "reference": entries.members.to(target)}]}
    if scope == "document" and ("documents", target) in entries.keys:
        document = entries.to("documents", target)
        return {"data": [{"meaning": "instance", "reference": document}]}
    if scope == "section":
        return {"class": [{"system": SECTION_CODES, "code": target}]}
    return {}
