"""``passerelle packages``."""

import json

import pytest

from tests.made_packages import ALL, archive, colours, value_set


@pytest.fixture
def record(sqlite_database_url, monkeypatch):
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", sqlite_database_url)


@pytest.fixture
def package(write):
    return write(colours(dependencies={"exemple.formes": "3.0.0"}), "couleurs.tgz")


@pytest.mark.usefixtures("record")
def test_a_package_is_added_listed_and_removed(passerelle, package):
    code, out, err = passerelle("packages", "add", package)
    assert code == 0
    assert "Installé : exemple.couleurs#1.0.0 (4 ressources, 1 exemples)" in out
    assert "package.dependency-missing" in err
    code, out, _ = passerelle("packages", "add", package)
    assert (code, "Déjà là" in out) == (0, True)
    code, out, _ = passerelle("packages", "list")
    assert code == 0
    assert "exemple.couleurs" in out
    assert "1 paquet(s)." in out
    assert "exemple.formes#3.0.0" in out
    code, out, _ = passerelle("packages", "remove", "exemple.couleurs#1.0.0")
    assert (code, "Retiré : exemple.couleurs#1.0.0 (4 ressources)" in out) == (0, True)
    code, _, err = passerelle("packages", "remove", "exemple.couleurs#1.0.0")
    assert (code, "package.not-installed" in err) == (1, True)


@pytest.mark.usefixtures("record")
def test_programs_read_json(passerelle, package, write):
    broken = write(b"no archive", "broken.tgz")
    code, out, _ = passerelle("packages", "add", package, broken, "--json")
    added, refused = json.loads(out)["packages"]
    assert code == 1
    assert (added["state"], added["resources"]) == ("added", 4)
    assert (refused["state"], refused["file"]) == ("refused", "broken.tgz")
    assert [each["rule"] for each in refused["issues"]] == ["package.not-a-tgz"]
    _, out, _ = passerelle("packages", "list", "--json")
    (listed,) = json.loads(out)["packages"]
    assert (listed["name"], listed["state"]) == ("exemple.couleurs", "ready")
    assert listed["dependencies"] == {"exemple.formes": "3.0.0"}
    assert [each["rule"] for each in listed["missing"]] == ["package.dependency-missing"]
    code, out, _ = passerelle("packages", "remove", "exemple.couleurs#1.0.0", "--json")
    assert (code, json.loads(out)["resources"]) == (0, 4)


@pytest.mark.usefixtures("record")
def test_a_canonical_with_several_contents_is_told_and_listed(passerelle, package, write):
    other = {"package/ValueSet-couleurs.json": value_set(ALL, {"include": [{"system": "urn:x"}]})}
    passerelle("packages", "add", package)
    _, _, err = passerelle("packages", "add", write(archive(other, name="exemple.b"), "b.tgz"))
    assert "package.canonical-taken" in err
    _, out, _ = passerelle("packages", "list")
    assert "celui de exemple.couleurs#1.0.0 vaut" in out
    _, out, _ = passerelle("packages", "list", "--json")
    assert [each["rule"] for each in json.loads(out)["conflicts"]] == ["package.canonical-taken"]
    passerelle("packages", "remove", "exemple.couleurs#1.0.0")
    _, out, _ = passerelle("packages", "list", "--json")
    assert json.loads(out)["conflicts"] == []


@pytest.mark.usefixtures("record")
def test_what_needs_a_removed_package_is_told(passerelle, package, write):
    needing = archive({}, name="exemple.tout", dependencies={"exemple.couleurs": "1.0.0"})
    passerelle("packages", "add", package, write(needing, "tout.tgz"))
    code, out, err = passerelle("packages", "remove", "exemple.couleurs#1.0.0")
    assert (code, "Retiré" in out, "exemple.tout#1.0.0" in err) == (0, True, True)
    code, out, _ = passerelle("packages", "remove", "exemple.tout#1.0.0", "--json")
    assert (code, json.loads(out)["issues"]) == (0, [])


@pytest.mark.usefixtures("record")
def test_wrong_usage_is_told(passerelle, tmp_path):
    code, _, err = passerelle("packages", "remove", "exemple.couleurs")
    assert (code, "package.not-a-key" in err) == (2, True)
    code, out, err = passerelle("packages", "add", tmp_path / "none.tgz")
    assert (code, "package.file-missing" in err) == (1, True)
    assert "Refusé : none.tgz" in out


def test_a_record_that_cannot_be_opened_is_told(passerelle, monkeypatch):
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    code, _, err = passerelle("packages", "list")
    assert code == 2
    assert "record.unavailable" in err
