"""What a transaction refuses, and where it says so; what entries of one bundle mean together."""

from typing import Any

import pytest

from passerelle.dossiers import transaction_decision
from passerelle.dossiers.bundle_refusals import FAULTS_MAX
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Batch, Transaction
from passerelle.errors.refusals import (
    Conflict,
    Invalid,
    PasserelleError,
    PreconditionFailed,
    TooLarge,
)
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import parse
from passerelle.store.caller import SYSTEM
from tests.dossiers.patients import plain, with_matricule_aside

pytestmark = pytest.mark.anyio
HOSPITAL = "https://hopital.example"


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **request: Any) -> Any:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return made if resource is None else made | {"resource": resource}


def bundle(*entries: Any, kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def new(**rest: Any) -> dict[str, Any]:
    made = plain("x", **rest)
    made.pop("id")
    return made


def numbered(value: str, system: str = "urn:x", **rest: Any) -> dict[str, Any]:
    return new(identifier=[{"system": system, "value": value}], **rest)


def told(refusal: PasserelleError) -> list[tuple[str, str | None]]:
    return [(said.rule, said.expression) for said in refusal.issues]


async def count(gateway, criteria: str) -> int:
    found = parse("Patient", [tuple(criteria.split("=", 1))], strict=True)
    return len(await gateway.store.matching(found, SYSTEM, limit=10))


async def test_refusals_of_the_commit_name_the_entries_in_their_order(gateway):
    repository = Repository(gateway, SYSTEM)
    for id_ in ("p1", "p2"):
        await repository.update(Key("Patient", id_), plain(id_))
    with pytest.raises(PreconditionFailed) as refused:
        await Transaction(repository).run(
            bundle(
                entry("PUT", "Patient/p1", plain("p1", gender="male"), ifMatch='W/"7"'),
                entry("POST", "Patient", new()),
                entry("DELETE", "Patient/p2", ifMatch='W/"7"'),
            )
        )
    assert told(refused.value) == [
        ("record.version-conflict", "Bundle.entry[0].request.ifMatch"),
        ("record.version-conflict", "Bundle.entry[2].request.ifMatch"),
    ]


async def test_an_identifier_that_is_taken_is_named_where_it_stands(gateway):
    repository = Repository(gateway, SYSTEM)
    taken = numbered("1", f"{HOSPITAL}/ipp", meta={"source": HOSPITAL})
    await repository.create(taken)
    with pytest.raises(Conflict) as refused:
        await Transaction(repository).run(
            bundle(entry("PUT", "Patient/p9", plain("p9")), entry("POST", "Patient", taken))
        )
    assert told(refused.value) == [
        ("record.identifier-taken", "Bundle.entry[1].resource.identifier")
    ]


async def test_faults_are_told_in_the_order_of_the_entries(gateway):
    repository = Repository(gateway, SYSTEM)
    with pytest.raises(Invalid) as refused:
        await Transaction(repository).run(
            bundle(
                entry("PUT", "Patient/p1", plain("p1", gender="x")),
                entry("POST", "Patient", new(gender="x")),
                entry("PUT", "Patient/p2", plain("p2", birthDate="x")),
            )
        )
    assert [place for _, place in told(refused.value)] == [
        "Bundle.entry[0].resource.gender",
        "Bundle.entry[1].resource.gender",
        "Bundle.entry[2].resource.birthDate",
    ]


async def test_a_conditional_reference_at_fault_is_told_at_each_of_its_places(gateway):
    nobody = {"reference": "Patient?identifier=urn:x|nobody"}
    team = {"resourceType": "CareTeam", "subject": nobody, "participant": [{"member": nobody}]}
    with pytest.raises(Invalid) as refused:
        await Transaction(Repository(gateway, SYSTEM)).run(
            bundle(entry("POST", "Patient", new()), entry("POST", "CareTeam", team))
        )
    assert told(refused.value) == [
        ("bundle.reference-none", "Bundle.entry[1].resource.subject"),
        ("bundle.reference-none", "Bundle.entry[1].resource.participant[0].member"),
    ]


async def test_faults_without_end_are_told_up_to_a_bound(gateway):
    nobody = {"reference": "Patient?identifier=urn:x|nobody"}
    team = {"resourceType": "CareTeam", "subject": nobody}
    with pytest.raises(Invalid) as refused:
        await Transaction(Repository(gateway, SYSTEM)).run(
            bundle(*(entry("POST", "CareTeam", team) for _ in range(FAULTS_MAX + 5)))
        )
    assert len(refused.value.issues) == FAULTS_MAX + 1
    assert refused.value.issues[-1].rule == "bundle.too-many-faults"


async def test_two_conditional_creates_of_one_condition_make_one_resource(gateway):
    same = "identifier=urn:x|1"
    answers = await Transaction(Repository(gateway, SYSTEM)).run(
        bundle(
            entry("POST", "Patient", numbered("1"), ifNoneExist=same),
            entry("POST", "Patient", numbered("1", gender="male"), ifNoneExist=same),
        )
    )
    assert [answer.status for answer in answers] == [201, 200]
    assert answers[0].key == answers[1].key
    assert await count(gateway, same) == 1


async def test_two_writes_of_what_one_condition_designates_are_refused(gateway):
    same = "identifier=urn:x|1"
    with pytest.raises(Invalid) as refused:
        await Transaction(Repository(gateway, SYSTEM)).run(
            bundle(
                entry("PUT", f"Patient?{same}", numbered("1")),
                entry("POST", "Patient", numbered("1"), ifNoneExist=same),
                entry("PUT", f"Patient?{same}", numbered("1", gender="male")),
            )
        )
    assert {rule for rule, _ in told(refused.value)} == {"bundle.identity-duplicate"}
    assert await count(gateway, same) == 0


async def test_a_conditional_create_makes_anew_what_the_bundle_deletes(gateway):
    repository = Repository(gateway, SYSTEM)
    same = "identifier=urn:x|1"
    first = await repository.create(numbered("1"))
    assert first.version is not None
    answers = await Transaction(repository).run(
        bundle(
            entry("POST", "Patient", numbered("1", gender="male"), ifNoneExist=same),
            entry("DELETE", str(first.version.key)),
        )
    )
    assert [answer.status for answer in answers] == [201, 204]
    assert await count(gateway, same) == 1


@pytest.mark.parametrize("kind", ["transaction", "batch"])
async def test_warnings_reach_the_answer_of_their_entry(gateway, kind):
    repository = Repository(gateway, SYSTEM)
    run = Transaction(repository) if kind == "transaction" else Batch(repository)
    answers = await run.run(
        bundle(
            entry("PUT", "Patient/p1", plain("p1")),
            entry("PUT", "Patient/p2", with_matricule_aside("p2")),
            kind=kind,
        )
    )
    assert answers[0].outcome == ()
    said = answers[1].outcome
    assert {one.severity for one in said} == {"warning"}
    assert all(str(one.expression).startswith("Bundle.entry[1].resource") for one in said)


async def test_what_a_transaction_patches_is_bounded_by_its_size(gateway, monkeypatch):
    monkeypatch.setattr(transaction_decision, "PATCHED_BYTES_MAX", 10_000)
    repository = Repository(gateway, SYSTEM)
    for number in range(120):
        large = plain(f"p{number}") | {"name": [{"text": "x" * 200}]}
        await repository.update(Key("Patient", f"p{number}"), large)
    operation = [("type", "valueCode", "delete"), ("path", "valueString", "Patient.name")]
    parts = [{"name": name, kind: value} for name, kind, value in operation]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    entries = [entry("PATCH", f"Patient/p{number}", patch) for number in range(120)]
    with pytest.raises(TooLarge) as refused:
        await Transaction(repository).run(bundle(*entries))
    assert [said.rule for said in refused.value.issues] == ["bundle.patched-too-large"]
    answers = await Transaction(repository).run(bundle(*entries[:20]))
    assert {answer.status for answer in answers} == {200}


async def test_what_a_batch_patches_is_bounded_by_its_size(gateway, monkeypatch):
    monkeypatch.setattr(transaction_decision, "PATCHED_BYTES_MAX", 10_000)
    repository = Repository(gateway, SYSTEM)
    await repository.update(Key("Patient", "p"), plain("p") | {"name": [{"text": "x" * 3_000}]})
    operation = [
        ("type", "valueCode", "add"),
        ("path", "valueString", "Patient.name[0]"),
        ("name", "valueString", "given"),
        ("value", "valueString", "y"),
    ]
    parts = [{"name": name, kind: value} for name, kind, value in operation]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    entries = [entry("PATCH", "Patient/p", patch) for _ in range(6)]
    answers = await Batch(repository).run(bundle(*entries, kind="batch"))
    assert [answer.status for answer in answers] == [200] * 4 + [413] * 2
    assert [said.rule for said in answers[-1].outcome] == ["bundle.patched-too-large"]
