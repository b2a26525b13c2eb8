"""Status: the table of the two facts and of the attributes."""

from itertools import combinations

import pytest

from passerelle.ins.matricule import OIDS
from passerelle.ins.status import (
    CARRIES_MATRICULE,
    Attribute,
    Facts,
    IdentityStatus,
    check_attributes,
    derive,
)
from passerelle.ins.traits import Traits
from passerelle.ins.transmission import may_leave, obstacles

COMPLETE = Traits("ADRUN", "ZOE", "ZOE", "1975-12-31", "female", "63220")
REAL, TEST = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.10"


@pytest.mark.parametrize(
    ("insi", "proof", "status"),
    [(False, False, "PROV"), (True, False, "RECUP"), (False, True, "VALI"), (True, True, "QUAL")],
)
def test_the_status_is_a_function_of_the_two_facts(insi, proof, status):
    assert derive(Facts(insi, proof)) == status
    assert derive(Facts(insi, proof, frozenset({Attribute.HOMONYME}))) == status
    for attribute in (Attribute.DOUTEUSE, Attribute.FICTIVE):
        assert derive(Facts(insi, proof, frozenset({attribute}))) == "PROV"


def test_only_doubtful_and_homonym_go_together():
    sets = [frozenset(c) for n in range(4) for c in combinations(Attribute, n)]
    allowed = [found for found in sets if not check_attributes(found)]
    assert [found for found in allowed if len(found) > 1] == [
        frozenset({Attribute.HOMONYME, Attribute.DOUTEUSE})
    ]
    assert len(allowed) == 5


@pytest.mark.parametrize("status", IdentityStatus)
def test_the_matricule_leaves_only_with_a_qualified_identity(status):
    assert may_leave(status, REAL, COMPLETE, allow_test=False) is (status == "QUAL")
    assert (status in CARRIES_MATRICULE) is (status in ("RECUP", "QUAL"))


def test_a_matricule_of_test_leaves_only_where_tests_are_admitted():
    assert not may_leave(IdentityStatus.QUAL, TEST, COMPLETE, allow_test=False)
    assert may_leave(IdentityStatus.QUAL, f"urn:oid:{TEST}", COMPLETE, allow_test=True)


@pytest.mark.parametrize("oid", ["1.2.250.1.213.1.4.2", "1.2.250.1.213.1.4.13", ""])
def test_what_is_no_matricule_never_leaves_as_one(oid):
    assert oid not in OIDS
    assert not may_leave(IdentityStatus.QUAL, oid, COMPLETE, allow_test=True)


def test_all_obstacles_are_told_at_once():
    found = obstacles(IdentityStatus.PROV, TEST, Traits("ADRUN"), allow_test=False)
    assert [i.rule for i in found] == [
        "ins.no-qualified-identity",
        "ins.test-oid",
        *["ins.qualified-needs-traits"] * 5,
    ]
