"""The matricule of a Patient, when its identity lets it leave (EXI ID 29)."""

from passerelle.fhir.resource import Resource
from passerelle.ins import patient_identity
from passerelle.ins.transmission import may_leave


def matricule_that_may_leave(patient: Resource, *, allow_test: bool) -> str | None:
    """Give the 15 characters of the matricule when the identity lets it leave, else None."""
    identity = patient_identity.read(patient)
    held = identity.active
    if held is None or held.number is None or held.oid is None:
        return None
    if not may_leave(identity.status, held.oid, identity.traits, allow_test=allow_test):
        return None
    return held.number
