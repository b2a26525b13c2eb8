"""The root of a dossier and its circle to and from CareTeam (cds-ihe-careteam).

https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition-cds-ihe-careteam.html . Its
identifier is the dossier's; there is one participant for each period of each member, in order.
"""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import CDS
from passerelle.mappers.native.dossier import Dossier, Entry
from passerelle.mappers.native.dossier_naming import MemberReferences, Naming, resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import circle_members, structures_organization
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
    pick,
)

NAME = "Cercle de soins"
"""The mandatory name: it says nothing of the person."""

_STATUSES = {
    "proposed": "proposed",
    "active": "active",
    "suspended": "suspended",
    "closed": "inactive",
    "merged": "inactive",
    "entered-in-error": "entered-in-error",
}
_NATIVE_STATUSES = {
    "proposed": "proposed",
    "active": "active",
    "suspended": "suspended",
    "inactive": "closed",
    "entered-in-error": "entered-in-error",
}


def to_fhir(dossier: Dossier, names: Naming, members: MemberReferences) -> Resource:
    """Make the CareTeam of a dossier."""
    root = dossier.content
    identifier = {"system": dossier.system, "value": dossier.value}
    return filled(
        {
            **resource(names, "CareTeam", identifier, CDS + "cds-ihe-careteam", tagged=True),
            "extension": _facts(root, members),
            "identifier": [identifier],
            "status": _STATUSES[root["status"]],
            "name": NAME,
            "subject": members.to("person"),
            "period": filled({"start": root["openedAt"], "end": root.get("closedAt")}),
            "participant": [
                _participant(member, period, members)
                for member in dossier.section("circle")
                for period in member["periods"]
            ],
            "managingOrganization": [structures_organization.reference(root["managing"], names)],
        }
    )


def root_from_fhir(reading: Reading) -> Entry:
    """Read the root facts of a dossier from its CareTeam."""
    team = reading.team
    period = team.get("period", {})
    source = parts_of(next(iter(own_of(team, "dossier-source")), None))
    closure = parts_of(next(iter(own_of(team, "dossier-closure")), None))
    managing = next(iter(team.get("managingOrganization", ())), None)
    return filled(
        {
            "format": "dossier/1",
            "id": {
                "system": reading.names.dossier_system,
                "value": reading.names.dossier_value,
            },
            "version": own_value(team, "source-version"),
            "updatedAt": own_value(team, "source-updated-at")
            or team.get("meta", {}).get("lastUpdated"),
            "source": {**source, "platform": reading.names.platform},
            "status": own_value(team, "dossier-status")
            or _NATIVE_STATUSES[team.get("status", "active")],
            "openedAt": period.get("start"),
            "closedAt": period.get("end"),
            "closure": filled({**closure, "by": reading.member(closure.get("by"))}),
            "mergedInto": own_value(team, "dossier-merged-into"),
            "managing": structures_organization.from_fhir(reading.target(managing))
            or filled({"name": (managing or {}).get("display")}),
            "lead": reading.member(own_value(team, "dossier-lead")),
        }
    )


def circle_from_fhir(reading: Reading) -> list[Entry]:
    """Read the members in the order of the participants, each with all of its periods."""
    members: dict[str, Entry] = {}
    for participant in reading.team.get("participant", ()):
        key = reading.member(participant.get("member"))
        resource = reading.target(participant.get("member"))
        if key is None or not circle_members.is_member(resource):
            continue
        if key not in members:
            member = circle_members.from_fhir(key, resource, reading)
            role = native_code(next(iter(participant.get("role", ())), None))
            members[key] = {**member, **filled({"role": role}), "periods": []}
        members[key]["periods"].append(pick(participant.get("period", {}), "start", "end"))
    return list(members.values())


def _participant(member: Entry, period: Element, members: MemberReferences) -> Element:
    return filled(
        {
            "role": chosen((codeable(member.get("role")),)),
            "member": {
                **(members.to(member["key"]) or {}),
                "display": members.displays[member["key"]],
            },
            "period": period,
        }
    )


def _facts(root: Mapping[str, Any], members: MemberReferences) -> list[Element]:
    source, closure = root["source"], root.get("closure", {})
    status, lead = root["status"], root.get("lead")
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
            own("dossier-status", valueCode=status)
            if _NATIVE_STATUSES[_STATUSES[status]] != status
            else None,
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
            own("dossier-lead", valueReference=members.to(lead)) if lead else None,
        )
    )
