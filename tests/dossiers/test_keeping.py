"""A matricule set apart is not lost, whoever writes at once."""

import asyncio

import pytest

from passerelle.dossiers.claims import claims
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Transaction
from passerelle.fhir.resource import Key
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.store.caller import SYSTEM
from tests.dossiers.patients import plain, with_matricule_aside

pytestmark = pytest.mark.anyio
KEY = Key("Patient", "p1")


async def test_a_matricule_set_apart_stays_when_the_patient_comes_back_without_any(gateway):
    repository = Repository(gateway, SYSTEM)
    first = await repository.update(KEY, with_matricule_aside("p1"))
    assert first.version is not None
    assert first.version.aside is not None
    second = await repository.update(KEY, plain("p1", gender="female"))
    assert second.version is not None
    assert second.version.aside == first.version.aside


async def test_a_matricule_set_apart_meanwhile_is_not_lost(gateway):
    """The two ways in read the head before they commit: whoever is late decides again."""
    repository = Repository(gateway, SYSTEM)
    await repository.update(KEY, plain("p1"))
    entry = {
        "request": {"method": "PUT", "url": "Patient/p1"},
        "resource": plain("p1", gender="other"),
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    for number in range(10):
        await asyncio.gather(
            repository.update(KEY, plain("p1", gender=("male", "female")[number % 2])),
            repository.update(KEY, with_matricule_aside("p1")),
            Transaction(repository).run(bundle),
        )
        head = await gateway.store.read(KEY, SYSTEM)
        assert head is not None
        assert head.aside is not None


async def test_names_of_any_length_are_kept_and_stay_apart(gateway):
    """An index of PostgreSQL holds no text of a megabyte."""
    repository = Repository(gateway, SYSTEM)
    source = "https://hopital.example"
    long = "".join(chr(0x4E00 + number % 20_000) for number in range(300_000))
    for number in range(2):
        value = f"{long}{number}"
        tags = [{"system": DOSSIER_TAG, "code": f"urn:x|{value}"}]
        identifier = {"system": f"{source}/ipp", "value": value}
        patient = plain("p", identifier=[identifier], meta={"source": source, "tag": tags})
        made = await repository.create(patient)
        assert made.version is not None
        (claim,) = claims(patient)
        assert await gateway.store.claimed("Patient", claim, SYSTEM) == made.version.key
