"""The invented dossiers: sound, alike from run to run, as many as was said."""

from collections import Counter

from bench.dossiers import OF_A_PATIENT, dossier, everything, surroundings
from bench.patients import is_qualified, matricule
from passerelle.dossiers import keeping
from passerelle.dossiers.gateway import InsPolicy
from passerelle.ins.matricule import check_number

TEST = "1.2.250.1.213.1.4.10"


def test_every_resource_may_be_kept_without_a_warning():
    for number in (0, 3, 7, 1_599, 63_999):
        for resource in (*dossier(number), *surroundings(1)):
            said = keeping.demand(resource, InsPolicy(allow_test=True))
            assert said == (), (resource["resourceType"], said)


def test_the_same_number_gives_the_same_dossier_and_another_one_another():
    assert dossier(12) == dossier(12)
    assert dossier(12) != dossier(13)


def test_a_patient_comes_to_eight_resources_under_ids_of_their_own():
    made = list(everything(250))
    kinds = Counter(resource["resourceType"] for resource in made)
    assert len({(resource["resourceType"], resource["id"]) for resource in made}) == len(made)
    assert kinds == dict.fromkeys((resource["resourceType"] for resource in dossier(0)), 250) | {
        "Organization": 1,
        "Practitioner": 3,
    }
    assert len(dossier(0)) == OF_A_PATIENT


def test_every_reference_leads_to_what_was_made_before():
    there = set()
    for resource in everything(3):
        for link in links(resource):
            assert link in there
        there.add(f"{resource['resourceType']}/{resource['id']}")


def links(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from links(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from links(inner)


def test_numbers_of_test_have_right_keys_and_are_not_the_same():
    numbers = [matricule(number) for number in range(0, 64_000, 7) if is_qualified(number)]
    assert len(set(numbers)) == len(numbers)
    assert all(check_number(number, TEST) == [] for number in numbers[:500])
