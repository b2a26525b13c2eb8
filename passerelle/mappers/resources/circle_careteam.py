"""The circle of a dossier to and from CareTeam (cds-ihe-careteam).

https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition-cds-ihe-careteam.html . Its
identifier is the dossier's; there is one participant for each period of each member, in order.
"""

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


def to_fhir(dossier: Dossier, names: Naming, members: MemberReferences) -> Resource:
    """Make the CareTeam of a dossier."""
    root = dossier.content
    identifier = {"system": dossier.system, "value": dossier.value}
    return filled(
        {
            **resource(names, "CareTeam", identifier, CDS + "cds-ihe-careteam", tagged=True),
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
