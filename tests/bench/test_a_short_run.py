"""The bench runs: a gateway is filled, served, loaded and weighed. Nothing is said of its speed."""

from contextlib import ExitStack

from bench.__main__ import measure_gateway
from bench.dossier_searches import SEARCHES
from bench.measuring import Scale
from bench.records import records

PATIENTS = 30
SHORT = Scale(
    seconds=0.1,
    warm_seconds=0,
    settle_seconds=0,
    connections=2,
    users=3,
    depth=3,
    different=10,
    created=40,
)


def test_every_line_of_the_table_is_measured_on_a_gateway(tmp_path):
    with ExitStack() as stack:
        (record,) = records(["sqlite"], tmp_path, PATIENTS, stack)
        measured = measure_gateway(record, PATIENTS, SHORT)
    assert list(measured.figures) == [
        "read by id",
        "search identifier",
        "search family prefix, 10 given",
        "search family, 1 in 40, 10 given",
        *SEARCHES,
        "create, durable",
        "transaction of 20",
        "CRUD mix, 3 users",
    ]
    assert measured.notes == []
    for figure in measured.figures.values():
        assert figure["count"] > 0
        assert (figure["refused_count"], figure["errors"]) == (0, 0)
    assert measured.facts["idle_mb"] > 0
    assert not record.is_new
