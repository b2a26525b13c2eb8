"""Searches of what a List has as an item, on real databases."""

from passerelle.fhir.search.query import parse_system
from tests.store.search_records import Record, ask, fill, find, ids, record, through
from tests.store.test_search_language import POPULATION, keys

__all__ = ["record"]


def test_what_a_list_has_as_an_item_is_found(record: Record) -> None:
    fill(record, POPULATION)
    assert through(record, ask("Patient", ("_list", "l"))) == ["a"]
    assert through(record, ask("Task", ("_list", "l"))) == ["t2"]
    assert through(record, ask("Task", ("patient._list", "l"))) == ["t1"]
    assert through(record, ask("Task", ("_list", "nothing"))) == []
    assert keys(record, parse_system([("_list", "l")], strict=True)) == ["Patient/a", "Task/t2"]


def test_whatever_refers_to_a_resource_comes_along(record: Record) -> None:
    fill(record, POPULATION)
    page = find(record, ask("Task", ("_id", "t2"), ("_revinclude", "*")))
    assert ids(page) == ["t2"]
    assert [version.key.id for version in page.included] == ["l"]
