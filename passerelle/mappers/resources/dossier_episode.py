"""The dossier itself to and from EpisodeOfCare: its root, its status, its pathways.

https://hl7.org/fhir/R4/episodeofcare.html ; no French profile exists. Its identifier is the
dossier's; each pathway is a type. A merged dossier is a Linkage besides
(https://hl7.org/fhir/R4/linkage.html).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import Dossier, Entry
from passerelle.mappers.native.dossier_dates import ends_before
from passerelle.mappers.native.dossier_naming import MemberReferences, Naming, resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import structures_organization
from passerelle.mappers.resources.fhir_elements import (
    Element,
    chosen,
    codeable,
    filled,
    native_code,
    own,
    own_of,
    own_value,
    parts,
    parts_of,
)

STATUSES = {
    "proposed": "planned",
    "active": "active",
    "suspended": "onhold",
    "closed": "finished",
    "merged": "cancelled",
    "entered-in-error": "entered-in-error",
}
"""Native status to that of the EpisodeOfCare."""

_NATIVE_STATUSES = {fhir: native for native, fhir in STATUSES.items()}
_TEAM_STATUSES = {"proposed": "proposed", "suspended": "suspended", "inactive": "closed"}
"""Those of a CareTeam that differ: it was the root before there was an EpisodeOfCare."""


def to_fhir(dossier: Dossier, names: Naming, members: MemberReferences) -> Iterator[Resource]:
    """Make the EpisodeOfCare of a dossier, and the Linkage of one that was merged."""
    root, lead = dossier.content, dossier.content.get("lead")
    identifier = {"system": dossier.system, "value": dossier.value}
    managing = structures_organization.reference(root["managing"], names)
    episode = filled(
        {
            **resource(names, "EpisodeOfCare", identifier, None, tagged=True),
            "extension": _facts(root, members),
            "identifier": [identifier],
            "status": STATUSES[root["status"]],
            "type": [_type(pathway) for pathway in dossier.section("pathways")],
            "patient": members.to("person"),
            "managingOrganization": managing,
            "period": filled({"start": root["openedAt"], "end": root.get("closedAt")}),
            "careManager": members.to(lead) if _manages(lead, members) else None,
            "team": [{"reference": str(names.key("CareTeam", identifier))}],
        }
    )
    yield episode
    if root["status"] == "merged":
        yield _linkage(root["mergedInto"], identifier, names)


def with_history(head: Resource, made: Resource) -> Resource:
    """Give a made EpisodeOfCare with the statuses that the one of the record has been through.

    The status that it leaves lasted from the end of the one before to the change at the source.
    """
    history = list(head.get("statusHistory", ()))
    if head["status"] != made["status"]:
        opened = head.get("period", {}).get("start")
        since = history[-1]["period"].get("end") if history else opened
        until = own_value(made, "source-updated-at")
        if since and until and ends_before(since, until):
            until = since
        period = filled({"start": since, "end": until})
        history.append({"status": head["status"], "period": period})
    if not history:
        return made
    after = list(made).index("status") + 1
    items = list(made.items())
    return dict([*items[:after], ("statusHistory", history), *items[after:]])


def root_from_fhir(reading: Reading) -> Entry:
    """Read the root facts of a dossier."""
    root = reading.root
    period = root.get("period", {})
    source = parts_of(next(iter(own_of(root, "dossier-source")), None))
    closure = parts_of(next(iter(own_of(root, "dossier-closure")), None))
    managing = _one(root.get("managingOrganization"))
    lead = own_value(root, "dossier-lead") or root.get("careManager")
    return filled(
        {
            "format": "dossier/1",
            "id": {"system": reading.names.dossier_system, "value": reading.names.dossier_value},
            "version": own_value(root, "source-version"),
            "updatedAt": own_value(root, "source-updated-at")
            or root.get("meta", {}).get("lastUpdated"),
            "source": {**source, "platform": reading.names.platform},
            "status": status_of(root),
            "openedAt": period.get("start"),
            "closedAt": period.get("end"),
            "closure": filled({**closure, "by": reading.member(closure.get("by"))}),
            "mergedInto": own_value(root, "dossier-merged-into"),
            "managing": structures_organization.from_fhir(reading.target(managing))
            or filled({"name": (managing or {}).get("display")}),
            "lead": reading.member(lead),
            "ext": json_text.decode(ext.encode())
            if (ext := own_value(root, "dossier-ext"))
            else None,
        }
    )


def pathways_from_fhir(reading: Reading) -> list[Entry]:
    """Read the pathways from the types of the EpisodeOfCare; a type without a key is none."""
    types = reading.root.get("type", ()) if reading.root is not reading.team else ()
    found = []
    for type in types:
        facts = parts_of(next(iter(own_of(type, "dossier-pathway")), None))
        period, intensity = facts.get("period") or {}, native_code(facts.get("intensity"))
        if "key" in facts:
            found.append(
                filled(
                    {
                        "key": facts["key"],
                        "kind": native_code(type),
                        "start": period.get("start"),
                        "end": period.get("end"),
                        "requestedBy": facts.get("requestedBy"),
                        "intensity": intensity,
                    }
                )
            )
    return found


def _type(pathway: Mapping[str, Any]) -> Element:
    facts = parts(
        "dossier-pathway",
        {
            "key": ("valueString", pathway["key"]),
            "period": ("valuePeriod", _period(pathway)),
            "requestedBy": ("valueString", pathway.get("requestedBy")),
            "intensity": ("valueCodeableConcept", codeable(pathway.get("intensity"))),
        },
    )
    return {"extension": [facts], **(codeable(pathway["kind"]) or {})}


def _period(pathway: Mapping[str, Any]) -> Element:
    return filled({"start": pathway["start"], "end": pathway.get("end")})


def _manages(lead: str | None, members: MemberReferences) -> bool:
    """Tell whether R4 admits a member as careManager."""
    return lead is not None and members.type_of(lead) == "PractitionerRole"


def _one(reference: Any) -> Element | None:
    """Give the one reference, which a CareTeam has in a list."""
    return next(iter(reference), None) if isinstance(reference, list) else reference


def status_of(root: Resource) -> str:
    """Give the native status of a dossier, from its root."""
    status = root.get("status", "active")
    if root["resourceType"] == "EpisodeOfCare":
        return _NATIVE_STATUSES.get(status, "active")
    return str(own_value(root, "dossier-status") or _TEAM_STATUSES.get(status, status))


def _linkage(into: Mapping[str, str], identifier: Mapping[str, str], names: Naming) -> Resource:
    absorbed = {"type": "EpisodeOfCare", "identifier": dict(identifier)}
    return {
        **resource(names, "Linkage", identifier, None, tagged=True),
        "active": True,
        "item": [
            {"type": "source", "resource": {"type": "EpisodeOfCare", "identifier": dict(into)}},
            {"type": "alternate", "resource": absorbed},
        ],
    }


def _facts(root: Mapping[str, Any], members: MemberReferences) -> list[Element]:
    source, closure, lead = root["source"], root.get("closure", {}), root.get("lead")
    return chosen(
        (
            own("source-version", valueString=root["version"]) if "version" in root else None,
            own("source-updated-at", valueDateTime=root["updatedAt"]),
            parts(
                "dossier-source",
                {
                    "platform": ("valueUri", source["platform"]),
                    "software": ("valueString", source.get("software")),
                    "softwareVersion": ("valueString", source.get("softwareVersion")),
                },
            ),
            parts(
                "dossier-closure",
                {
                    "reason": ("valueCode", closure.get("reason")),
                    "text": ("valueString", closure.get("text")),
                    "by": ("valueReference", members.to(closure.get("by"))),
                },
            ),
            own("dossier-merged-into", valueIdentifier=root["mergedInto"])
            if "mergedInto" in root
            else None,
            own("dossier-lead", valueReference=members.to(lead))
            if lead and not _manages(lead, members)
            else None,
            own("dossier-ext", valueString=json_text.encode(root["ext"], ordered=True).decode())
            if "ext" in root
            else None,
        )
    )
