"""What a native identity claims, against the facts that it brings; never overstated.

Référentiel national d'identitovigilance (RNIV) : the four statuses, the attributes, the strict
traits (https://esante.gouv.fr/produits-services/referentiel-ins). Key arithmetic is not done here:
``matricules`` says where each one stands, and the caller checks it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier import Dossier

DOUBTS = frozenset({"doubtful", "fictitious"})
"""Attributes with which no status above provisional may stand."""

COMBINATIONS = (
    frozenset[str](),
    frozenset({"homonym"}),
    frozenset({"doubtful"}),
    frozenset({"fictitious"}),
    frozenset({"homonym", "doubtful"}),
)
"""The attributes that may stand together (EXI ID 24): a fictitious identity is that alone."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "provisional": (),
    "retrieved": ("ins",),
    "validated": ("proof",),
    "qualified": ("ins", "proof", "birthPlaceCode"),
}
"""Which facts each status rests on; the other strict traits are mandatory in the form itself."""

_PERSON = "/person/identity"


class Matricule(NamedTuple):
    """Where a matricule stands in the native form, its digits and the OID of its domain."""

    pointer: str
    number: str
    oid: str


def check(identity: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Compare the claimed status with its facts and attributes; one issue for each fault."""
    status = identity["status"]
    issues = [
        issue("dossier.identity-insufficient", f"{_PERSON}/{fact}", status=status, fact=fact)
        for fact in _NEEDS[status]
        if fact not in identity
    ]
    if status == "qualified" and len(identity["birthDate"]) < len("1979-03-28"):
        issues.append(
            issue(
                "dossier.identity-insufficient",
                f"{_PERSON}/birthDate",
                status=status,
                fact="birthDate",
            )
        )
    if status != "provisional" and DOUBTS & set(identity.get("flags", ())):
        issues.append(issue("dossier.identity-doubtful", f"{_PERSON}/status"))
    if frozenset(identity.get("flags", ())) not in COMBINATIONS:
        issues.append(issue("dossier.identity-attributes", f"{_PERSON}/flags"))
    return tuple(issues)


def may_carry_ins(identity: Mapping[str, Any]) -> bool:
    """Tell whether the matricule may go out with the identity: qualified, and rightly so."""
    return identity["status"] == "qualified" and not check(identity)


def matricules(dossier: Dossier) -> tuple[Matricule, ...]:
    """Give every matricule of a dossier with its JSON Pointer, the current one first."""
    ins = dossier.content["person"]["identity"].get("ins")
    if ins is None:
        return ()
    former = (
        Matricule(f"{_PERSON}/ins/history/{index}/number", entry["number"], entry["oid"])
        for index, entry in enumerate(ins.get("history", ()))
    )
    return (Matricule(f"{_PERSON}/ins/number", ins["number"], ins["oid"]), *former)
