"""The account of a run, and where it is put."""

import pytest

from bench import report


def figure(per_second, cpu_ms, **more):
    return {
        "per_second": per_second,
        "resources_per_second": per_second * more.get("resources", 1),
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "cpu_ms": cpu_ms,
        "resources": 1,
        "limit": "read",
        "refused_count": 0,
        "errors": 0,
    } | more


def server(database, figures, notes=()):
    seeded = {"resources": 4000, "patients": 500, "how": "offline"}
    facts = {"cold_start_s": 1.0, "idle_mb": 50.0, "loaded_mb": 60.0}
    return {
        "database": database,
        "figures": figures,
        "notes": list(notes),
        "seeded": seeded,
        "facts": facts,
    }


RUN = {
    "date": "2026-01-12 09:00 UTC",
    "commit": "abc",
    "machine": {"processor": "p", "cores": 2, "memory_gb": 8, "system": "Linux"},
    "load_average": [1.0, 1.0, 1.0],
    "load_average_after": 2.0,
    "versions": {"python": "3.11"},
    "settings": {"seconds": 1},
    "skipped": ["HAPI: left out"],
    "limits": {"http": 10_000.0, "sqlite read": 50_000.0, "sqlite commit": 2_000.0},
    "servers": {
        "passerelle sqlite": server(
            "sqlite",
            {
                "read by id": figure(5_000, 0.05),
                "transaction of 20": figure(60, 6.0, limit="write", resources=20),
            },
        ),
        "peer": server(None, {"read by id": figure(500, 1.0, refused_count=3)}, ["no transaction"]),
    },
}


def test_a_gateway_is_held_against_the_limit_and_against_each_peer():
    row = next(line for line in report.table(RUN) if line.startswith("| read by id | passerelle"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:] == ["5,000", "1.0", "2.0", "0.050", "0.50", "10", "20"]


def test_a_transaction_is_counted_by_its_resources():
    row = next(line for line in report.table(RUN) if "transaction" in line)
    assert "| 1,200 resources |" in row
    assert "| 0.60 |" in row


def test_what_was_not_done_or_not_counted_is_told():
    told = list(report.notes(RUN))
    assert told == [
        "- peer: no transaction",
        "- peer: read by id: 3 requests refused or lost, and not counted",
        "- HAPI: left out",
    ]


def test_the_account_is_put_between_the_marks_of_a_page_again_and_again():
    page = f"# Title\n\n{report.BEGIN}\nold\n{report.END}\n\nend\n"
    once = report.put_into(page, RUN)
    assert report.put_into(once, RUN) == once
    assert "old" not in once
    assert once.startswith("# Title\n")
    assert once.endswith("\n\nend\n")
    with pytest.raises(ValueError, match="has no"):
        report.put_into("# Title", RUN)


def test_the_work_of_others_is_told_of_where_there_was_some():
    busy, quiet = (
        report.markdown(RUN | {"load_average": [load, 0, 0], "load_average_after": 1.5})
        for load in (7.0, 0.2)
    )
    assert "Others worked" in busy
    assert "Others worked" not in quiet
    assert "Load average before and after: 0.2 and 1.5" in quiet
