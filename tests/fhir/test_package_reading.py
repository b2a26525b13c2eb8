"""Packages: manifest, resources, examples, and the keys they take in the record."""

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.fhir.packages.package_reading import PackageKey, parse_key, read_package
from passerelle.fhir.urls import PACKAGE_TAG
from tests.made_packages import archive, code_system, colours, tgz


def refusal(body):
    with pytest.raises(Invalid) as caught:
        read_package(body)
    return caught.value.issues[0].rule


def test_a_package_gives_its_conformance_resources_and_counts_its_examples():
    package = read_package(colours(dependencies={"hl7.fhir.r4.core": "4.0.1"}))
    assert package.key == PackageKey("exemple.couleurs", "1.0.0")
    types = sorted(each.key.type for each in package.resources)
    assert types == ["CodeSystem", "ConceptMap", "ValueSet", "ValueSet"]
    assert package.examples == 1
    assert package.dependencies == {"hl7.fhir.r4.core": "4.0.1"}
    assert package.issues == ()


def test_a_resource_keeps_its_words_and_tells_its_package():
    (first, *_) = read_package(colours()).resources
    resource = first.resource
    tag = {"system": PACKAGE_TAG, "code": "exemple.couleurs#1.0.0"}
    assert resource.pop("meta") == {"tag": [tag]}
    assert resource == code_system()


def test_keys_are_the_same_each_time_and_differ_between_versions_and_packages():
    once, again = read_package(colours()), read_package(colours())
    keys = [each.key for each in once.resources]
    assert keys == [each.key for each in again.resources]
    assert len(set(keys)) == len(keys)
    other = [each.key for each in read_package(colours("2.0.0")).resources]
    assert not set(keys) & set(other)
    assert all(len(key.id) <= 64 for key in keys)


def test_a_long_id_or_none_still_makes_a_key():
    long = code_system() | {"id": "x" * 64}
    none = {name: value for name, value in code_system().items() if name != "id"}
    files = {"package/CodeSystem-l.json": long, "package/CodeSystem-n é.json": none}
    keys = [each.key for each in read_package(archive(files)).resources]
    assert [len(key.id) <= 64 for key in keys] == [True, True]
    assert keys[1].id.startswith("CodeSystem-n--")


def test_a_file_that_is_no_resource_is_left_out_with_a_warning():
    package = read_package(archive({"package/a.json": b"{", "package/b.json": {"a": 1}}))
    assert package.resources == ()
    assert [each.expression for each in package.issues] == ["package/a.json"]
    assert package.issues[0].severity == "warning"


def test_a_resource_of_a_person_is_not_taken_into_the_record():
    package = read_package(archive({"package/p.json": {"resourceType": "Patient", "id": "1"}}))
    assert package.resources == ()
    assert package.examples == 1


def test_what_is_no_package_of_r4_is_refused():
    assert refusal(tgz({"x": b""})) == "package.no-manifest"
    assert refusal(tgz({"package/package.json": {"name": "a"}})) == "package.bad-manifest"
    assert refusal(archive({}, name="A b")) == "package.bad-manifest"
    assert refusal(archive({}, fhirVersions=["5.0.0"])) == "package.fhir-version"


def test_a_package_is_named_with_a_sharp_or_an_at():
    assert parse_key("a.b#1.0") == parse_key("a.b@1.0") == PackageKey("a.b", "1.0")
    assert parse_key("a.b") is None
    assert parse_key("a.b#") is None
    assert parse_key("../x#1") is None


def test_every_real_package_is_read(shared):
    read = {}
    for file in sorted((shared / "data" / "packages").glob("*.tgz")):
        if "r4.core" not in file.name and "expansions" not in file.name:
            package = read_package(file.read_bytes())
            read[str(package.key)] = len(package.resources)
            assert package.issues == ()
    assert len(read) == 13
    assert read["hl7.fhir.fr.core#2.1.0"] == 120
