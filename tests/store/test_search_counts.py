"""How many match: counted in the index where that says enough."""

from passerelle.store.caller import SYSTEM
from passerelle.store.search_sql.search import count_statement
from tests.store.search_records import Record, ask, fill, record

__all__ = ["record"]


def test_what_one_key_leaves_is_counted_in_its_index_without_what_is_deleted(
    record: Record,
) -> None:
    people = [
        {"resourceType": "Patient", "id": f"p{n}", "gender": "male", "active": n % 3 == 0}
        for n in range(9)
    ]
    fill(record, [*people, people[0] | {"id": "gone", "deleted": True}])
    for pairs, many in (
        ((("gender", "male"),), 9),
        ((("gender", "male"), ("active", "true")), 3),
        ((("gender", "male"), ("active:not", "true")), 6),
        ((("gender", "male"), ("birthdate:missing", "true")), 9),
    ):
        sql, args = count_statement(ask("Patient", *pairs), SYSTEM, record.dialect)
        assert "resource" not in sql
        assert record.rows(sql, args)[0][0] == many
