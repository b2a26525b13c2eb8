"""Bundles are joined from bytes, and the bytes of a resource are served as they were kept."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors.rules import issue
from passerelle.fhir.bundles import bundle
from passerelle.fhir.instants import dump_instant, http_date, parse_instant
from passerelle.fhir.resource import Key

BASE = "https://pass.example/fhir"
KEY = Key("Patient", "1")
BODY = b'{"resourceType":"Patient","id":"1","multipleBirthInteger":  2}'
AT = 1_768_208_400_000_001


def test_a_searchset_holds_the_bodies_as_kept():
    page = bundle.searchset(BASE, [bundle.Found(KEY, BODY)], self_url=BASE + "/Patient?name=%22")
    assert BODY in page
    assert json.loads(page) == {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": BASE + "/Patient?name=%22"}],
        "entry": [
            {
                "fullUrl": BASE + "/Patient/1",
                "resource": json.loads(BODY),
                "search": {"mode": "match"},
            }
        ],
    }


def test_included_resources_come_after_the_matches_and_the_outcome_last():
    page = json.loads(
        bundle.searchset(
            BASE,
            [bundle.Found(KEY, BODY)],
            [bundle.Found(Key("Patient", "2"), BODY)],
            self_url=BASE,
            next_url=BASE + "?x",
            total=12,
            issues=[issue("bundle.type")],
        )
    )
    assert [entry["search"]["mode"] for entry in page["entry"]] == ["match", "include", "outcome"]
    assert page["entry"][2]["resource"]["resourceType"] == "OperationOutcome"
    assert page["total"] == 12
    assert page["link"][1] == {"relation": "next", "url": BASE + "?x"}


def test_an_empty_searchset_has_no_empty_array_and_no_total_that_is_not_known():
    page = json.loads(bundle.searchset(BASE, [], self_url=BASE))
    assert set(page) == {"resourceType", "type", "link"}
    assert json.loads(bundle.searchset(BASE, [], self_url=BASE, total=0))["total"] == 0


def test_a_history_tells_how_each_version_came_to_be():
    page = json.loads(
        bundle.history(
            BASE,
            [
                bundle.Past(KEY, 2, AT, "DELETE", None),
                bundle.Past(KEY, 1, AT, "POST", BODY),
            ],
            self_url=BASE + "/Patient/1/_history",
            total=2,
        )
    )
    deletion, creation = page["entry"]
    assert "resource" not in deletion
    assert deletion["request"] == {"method": "DELETE", "url": "Patient/1"}
    assert deletion["response"] == {
        "status": "204 No Content",
        "etag": 'W/"2"',
        "lastModified": "2026-01-12T09:00:00.000001Z",
    }
    assert creation["request"] == {"method": "POST", "url": "Patient"}
    assert creation["resource"] == json.loads(BODY)


def test_responses_come_in_the_order_of_the_answers():
    made = json.loads(
        bundle.responses(
            "transaction-response",
            [
                bundle.Answer(201, location="Patient/1/_history/1", version=1, at=AT),
                bundle.Answer(404, issues=(issue("bundle.type"),)),
                bundle.Answer(200, full_url=BASE + "/Patient/1", resource=BODY),
            ],
        )
    )
    assert made["type"] == "transaction-response"
    assert [entry["response"]["status"] for entry in made["entry"]] == [
        "201 Created",
        "404 Not Found",
        "200 OK",
    ]
    assert made["entry"][0]["response"]["etag"] == 'W/"1"'
    assert made["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert made["entry"][2]["resource"] == json.loads(BODY)


@given(st.integers(min_value=0, max_value=4_102_444_800_000_000))
def test_an_instant_is_read_back_as_it_was_written(microseconds):
    assert parse_instant(dump_instant(microseconds)) == microseconds


def test_an_instant_of_another_offset_is_the_same_moment():
    assert parse_instant("2026-01-12T10:00:00.000001+01:00") == AT


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        parse_instant("2026-01-12T10:00:00")


@given(st.integers(min_value=0, max_value=4_102_444_800))
def test_an_http_date_says_the_second(seconds):
    text = http_date(seconds * 1_000_000 + 999_999)
    read = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert int(read.timestamp()) == seconds
