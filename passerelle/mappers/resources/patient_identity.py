"""Status, attributes, proof and matricule of an identity to and from fr-core-patient(-ins).

https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-identity-reliability.html . In FR
Core 2.2.0 VALI means qualified, so that retrieved and validated go out as PROV with their signs;
an extension of ours is added only where these do not give the native fact back.
"""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.urls import FR_CORE, FR_CORE_0203
from passerelle.mappers.native.dossier_identity import may_carry_ins
from passerelle.mappers.resources.code_systems import (
    IDENTITY_COLLECTION,
    IDENTITY_STATUS,
    IDENTITY_VALIDATION,
)
from passerelle.mappers.resources.fhir_elements import (
    Element,
    chosen,
    codeable,
    extensions,
    filled,
    native_code,
    own,
    own_of,
    own_value,
    parts,
    parts_of,
    pick,
)

RELIABILITY = FR_CORE + "fr-core-identity-reliability"

_FLAG_CODES = {"homonym": "HOMA", "doubtful": "DOUT", "fictitious": "FICT"}
_FLAGS = {
    **{code: flag for flag, code in _FLAG_CODES.items()},
    "HOMD": "homonym",  # detected, where HOMA is proven
    "USUR": "doubtful",  # usurped
}

RNIV_STATUSES = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"
"""Code system of the next FR Core, where VALI is "validée" and QUAL "qualifiée"."""

_RNIV = {
    "PROV": "provisional",
    "RECUP": "retrieved",
    "VALI": "validated",
    "QUAL": "qualified",
}

INS_TYPES = {
    "1.2.250.1.213.1.4.8": "INS-NIR",
    "1.2.250.1.213.1.4.9": "INS-NIA",
    "1.2.250.1.213.1.4.10": "INS-NIR-TEST",
    "1.2.250.1.213.1.4.11": "INS-NIR-DEMO",
}
"""Type code of a matricule (CS 0203 of FR Core) by the OID of its domain."""

_OFFICIAL_ONLY = frozenset({"INS-NIR-TEST", "INS-NIR-DEMO"})
"""Slices whose use is fixed to official: a former matricule goes without its type."""

_OID = "urn:oid:"
_DATES = frozenset({"dateCollection", "validationDate"})


def identity_extensions(identity: Mapping[str, Any]) -> list[Element]:
    """Make the extensions of Patient that say how sure the identity is."""
    reliability = [_status(identity), *map(_attribute, identity.get("flags", ()))]
    status, proof = identity["status"], identity.get("proof")
    read_back = {"extension": reliability}
    return [
        *reliability,
        *chosen(
            (
                own("identity-status", valueCode=status)
                if native_status(read_back) != status
                else None,
                _own_proof(proof) if proof and native_proof(read_back) != proof else None,
            )
        ),
    ]


def native_status(patient: Mapping[str, Any]) -> str:
    """Read the RNIV status: ours when it stands, else what the French extension says."""
    stated = own_value(patient, "identity-status")
    if stated:
        return str(stated)
    main = _main(patient)
    status = main.get("identityStatus") or {}
    code = status.get("code")
    if code in ("RECUP", "QUAL") or (code in _RNIV and status.get("system") == RNIV_STATUSES):
        return _RNIV[code]
    if code == "VALI":
        return "qualified"
    if _code(main.get("methodCollection")) == "INSI":
        return "retrieved"
    return "validated" if "validationMode" in main else "provisional"


def native_flags(patient: Mapping[str, Any]) -> list[str]:
    """Read the attributes of an identity, in order."""
    codes = (_code(parts_of(found).get("identityStatus")) for found in _occurrences(patient))
    return list(dict.fromkeys(_FLAGS[code] for code in codes if code in _FLAGS))


def native_proof(patient: Mapping[str, Any]) -> Element | None:
    """Read what the identity was checked with."""
    stated = own_of(patient, "identity-proof")
    if stated:
        facts = parts_of(stated[0])
        return filled({**facts, "kind": native_code(facts.get("kind"))})
    main = _main(patient)
    if "validationMode" not in main:
        return None
    return filled({"kind": main["validationMode"], "checkedAt": main.get("validationDate")})


def ins_identifiers(ins: Mapping[str, Any] | None) -> list[Element]:
    """Make the identifiers of a matricule and of its former ones."""
    if ins is None:
        return []
    current = _ins_identifier(ins, "official")
    facts = chosen(
        (
            own("ins-obtained-at", valueDateTime=ins["obtainedAt"])
            if "obtainedAt" in ins
            else None,
            own("ins-checked-at", valueDateTime=ins["checkedAt"]) if "checkedAt" in ins else None,
        )
    )
    return [
        filled({"extension": facts, **current}),
        *(_former_identifier(former) for former in ins.get("history", ())),
    ]


def is_ins(identifier: Mapping[str, Any]) -> bool:
    """Tell whether an identifier is a matricule, by its domain *and* its type.

    With a type that is none of the INS (NH: a social security number, which FR Core 2.1 puts under
    the OID of the INS-NIR) it is none; the domain alone decides only when there is no type.
    """
    if str(identifier.get("system", "")).removeprefix(_OID) not in INS_TYPES:
        return False
    codes = {coding.get("code") for coding in identifier.get("type", {}).get("coding", ())}
    return not codes - {None} or bool(codes & set(INS_TYPES.values()))


def native_ins(patient: Mapping[str, Any]) -> Element | None:
    """Read the matricule with its former ones; None when there is no current one."""
    found = [identifier for identifier in patient.get("identifier", ()) if is_ins(identifier)]
    former = [identifier for identifier in found if identifier.get("use") == "old"]
    current = next((entry for entry in found if entry.get("use") != "old"), None)
    if current is None:
        return None
    return filled(
        {
            **_native_matricule(current),
            "obtainedAt": own_value(current, "ins-obtained-at"),
            "checkedAt": own_value(current, "ins-checked-at"),
            "history": [_native_former(identifier) for identifier in former],
        }
    )


def _status(identity: Mapping[str, Any]) -> Element:
    status, proof = identity["status"], identity.get("proof", {})
    collected = status in ("retrieved", "qualified")
    obtained_at = identity.get("ins", {}).get("obtainedAt") if collected else None
    kind = proof.get("kind", {})
    mode = kind if kind.get("system") == IDENTITY_VALIDATION and "code" in kind else None
    checked_at = proof.get("checkedAt")
    children = {
        "methodCollection": _coding(IDENTITY_COLLECTION, "INSI") if collected else None,
        "dateCollection": obtained_at and obtained_at[:10],
        "identityStatus": _coding(IDENTITY_STATUS, "VALI" if may_carry_ins(identity) else "PROV"),
        "validationDate": checked_at and checked_at[:10],
        "validationMode": mode and pick(mode, "system", "code", "display"),
    }
    return _reliability(children)


def _attribute(flag: str) -> Element:
    return _reliability({"identityStatus": _coding(IDENTITY_STATUS, _FLAG_CODES[flag])})


def _reliability(children: Mapping[str, Any]) -> Element:
    return {
        "url": RELIABILITY,
        "extension": [
            {"url": name, "valueDate" if name in _DATES else "valueCoding": value}
            for name, value in children.items()
            if value
        ],
    }


def _own_proof(proof: Mapping[str, Any]) -> Element | None:
    return parts(
        "identity-proof",
        {
            "kind": ("valueCodeableConcept", codeable(proof["kind"])),
            "checkedAt": ("valueDateTime", proof.get("checkedAt")),
            "checkedBy": ("valueString", proof.get("checkedBy")),
        },
    )


def _occurrences(patient: Mapping[str, Any]) -> list[Element]:
    return extensions(patient, RELIABILITY)


def _main(patient: Mapping[str, Any]) -> Element:
    """Give the occurrence that holds the status, not the ones that hold attributes."""
    found = (parts_of(occurrence) for occurrence in _occurrences(patient))
    return next((one for one in found if _code(one.get("identityStatus")) not in _FLAGS), {})


def _code(coding: Any) -> str | None:
    return coding.get("code") if isinstance(coding, dict) else None


def _coding(system: str, code: str) -> Element:
    return {"system": system, "code": code}


def _ins_identifier(matricule: Mapping[str, Any], use: str) -> Element:
    type = INS_TYPES[matricule["oid"]]
    untyped = use == "old" and type in _OFFICIAL_ONLY
    return filled(
        {
            "use": use,
            "type": None if untyped else {"coding": [_coding(FR_CORE_0203, type)]},
            "system": _OID + matricule["oid"],
            "value": matricule["number"],
        }
    )


def _former_identifier(former: Mapping[str, Any]) -> Element:
    period = filled({"start": former.get("from"), "end": former.get("until")})
    return filled({**_ins_identifier(former, "old"), "period": period})


def _native_matricule(identifier: Mapping[str, Any]) -> Element:
    return {"number": identifier["value"], "oid": identifier["system"].removeprefix(_OID)}


def _native_former(identifier: Mapping[str, Any]) -> Element:
    period = identifier.get("period", {})
    return filled(
        {
            **_native_matricule(identifier),
            "from": period.get("start"),
            "until": period.get("end"),
        }
    )
