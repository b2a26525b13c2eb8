"""Reading the native form: all faults at once, each at its place, each refusing its entry only."""

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid, PasserelleError, Unprocessable
from passerelle.fhir.json_text import encode
from passerelle.mappers.native.dossier import dump, normal
from passerelle.mappers.native.dossier_form import parse
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from tests.strategies.dossiers import dossiers

GOLDENS = Path(__file__).resolve().parents[1] / "goldens"
LAW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
NOTHING = object()


def golden(name="dossier-coordination"):
    return json.loads((GOLDENS / f"{name}.json").read_text(encoding="utf-8"))


def body(dossier):
    return encode(dossier)


def changed(*changes):
    """Give the golden dossier with values put at (or, for NOTHING, taken from) JSON Pointers."""
    dossier = golden()
    del dossier["tasks"][0]["about"], dossier["tasks"][0]["comments"]
    for pointer, value in changes:
        *path, last = (int(p) if p.isdigit() else p for p in pointer.split("/")[1:])
        at = dossier
        for part in path:
            at = at[part]
        if value is NOTHING:
            del at[last]
        else:
            at[last] = value
    return dossier


def told(issues):
    return {(one.rule, one.expression) for one in issues}


def faults(*changes, **options):
    parsed = parse(body(changed(*changes)), **options)
    return told(parsed.issues), parsed.refused


def fatal(*changes):
    with pytest.raises(Unprocessable) as refusal:
        parse(body(changed(*changes)))
    return told(refusal.value.issues)


@pytest.mark.parametrize("path", sorted(GOLDENS.glob("dossier-*.json")), ids=lambda p: p.stem)
def test_a_golden_dossier_is_taken_without_an_issue(path):
    parsed = parse(path.read_bytes())
    assert parsed.issues == ()
    assert parsed.refused == frozenset()


def test_what_is_no_json_object_is_invalid():
    for text in (b"", b"[]", b"{", b'{"format": 1, "format": 2}', b"\xff"):
        with pytest.raises(Invalid):
            parse(text)


def test_an_empty_object_tells_everything_that_lacks():
    with pytest.raises(Unprocessable) as refusal:
        parse(b"{}")
    assert {issue.expression for issue in refusal.value.issues} == {
        "/format",
        "/id",
        "/source",
        "/status",
        "/updatedAt",
        "/person",
        "/managing",
        "/openedAt",
        "/circle",
    }


def test_a_missing_element_is_told_at_its_own_place_and_refuses_its_entry_only():
    issues, refused = faults(
        ("/circle/2/professional/familyName", NOTHING),
        ("/lead", "m1"),
        ("/tasks/0/requester", "m1"),
        ("/tasks/0/owner", "m1"),
        ("/appointments/0/participants", []),
    )
    assert ("dossier.schema", "/circle/2/professional/familyName") in issues
    assert ("circle", "m3") in refused
    assert ("tasks", "t1") not in refused


def test_all_faults_come_at_once():
    issues, refused = faults(
        ("/circle/1/bogus", 1),
        ("/documents/0/type", {}),
        ("/tasks/0/due", "2026-02-30"),
        ("/appointments/0/end", "2026-03-10T14:00:00+01:00"),
    )
    assert issues == {
        ("dossier.schema", "/circle/1/bogus"),
        ("dossier.schema", "/documents/0/type"),
        ("dossier.date", "/tasks/0/due"),
        ("dossier.period-order", "/appointments/0/end"),
    }
    assert refused == {
        ("circle", "m2"),
        ("documents", "d1"),
        ("tasks", "t1"),
        ("appointments", "a1"),
    }


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/format", "dossier/2"),
        ("/status", "open"),
        ("/status", "closed"),
        ("/status", "merged"),
        ("/source/platform", "not a uri"),
        ("/person/identity/sex", "X"),
        ("/person/identity/ins/number", "279035121518"),
        ("/managing/finess", "12"),
        ("/managing/contact", {"phones": [{"number": "1", "use": "home"}]}),
        ("/circle", {}),
        ("/unknown", 1),
    ],
)
def test_a_fault_of_root_person_or_managing_is_fatal(pointer, value):
    issues = fatal((pointer, value))
    assert "dossier.schema" in {rule for rule, _ in issues}


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2026-13",
        "0001",
        "2026-1-1",
        "2026-01-01T10:00:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T10:00Z",
        "2026-01-01T23:59:60Z",
        "2026-01-01T10:00:00+15:00",
        "hier",
        "",
    ],
)
def test_what_is_no_date_of_the_calendar_is_told_as_such(text):
    issues, refused = faults(("/tasks/0/due", text))
    assert issues == {("dossier.date", "/tasks/0/due")}
    assert refused == {("tasks", "t1")}


@pytest.mark.parametrize("text", ["2028-02-29", "2026", "2026-02", "2026-01-01T10:00:00.5-14:00"])
def test_partial_dates_and_offsets_are_kept_as_they_are_written(text):
    parsed = parse(body(changed(("/tasks/0/due", text))))
    assert parsed.issues == ()
    assert parsed.dossier.section("tasks")[0]["due"] == text


def test_a_number_written_with_an_exponent_is_its_value():
    text = dump(normal(golden())).replace(b'"couleur":"vert"', b'"couleur":1e3,"x":2.5e-1')
    parsed = parse(text)
    assert parsed.issues == ()
    assert parsed.dossier.content["ext"]["couleur"] == 1000
    assert parsed.dossier.content["ext"]["x"] == Decimal("0.25")
    assert parse(dump(parsed.dossier)).dossier == parsed.dossier


def test_a_key_that_names_two_entries_names_none():
    twice = golden()["tasks"][0]
    issues, refused = faults(("/tasks", [twice, twice]))
    assert issues == {("dossier.duplicate-key", f"/tasks/{index}/key") for index in (0, 1)}
    assert refused == {("tasks", "t1")}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/documents/0/author", "m9"),
        ("/documents/0/replaces", "d9"),
        ("/documents/0/audience", {"onlyFor": ["m1", "m9"]}),
        ("/appointments/0/organiser", "m9"),
        ("/tasks/0/requester", "m9"),
        ("/tasks/0/about", "n1"),
        ("/tasks/0/parent", "a1"),
        ("/circle/0/invitedBy", "m9"),
    ],
)
def test_a_reference_that_names_nothing_is_told_at_its_place(pointer, value):
    place = pointer + "/onlyFor/1" if pointer.endswith("audience") else pointer
    try:
        issues = told(parse(body(changed((pointer, value)))).issues)
    except Unprocessable as refusal:
        issues = told(refusal.issues)
    assert ("dossier.reference-unresolved", place) in issues


def test_what_names_a_refused_entry_is_refused_with_it():
    issues, refused = faults(("/circle/2/kind", "robot"))
    assert {("circle", "m3"), ("tasks", "t1"), ("appointments", "a1")} <= refused
    assert ("dossier.reference-unresolved", "/tasks/0/owner") in issues


def test_a_reference_may_name_what_the_record_holds_already():
    known = frozenset({("circle", "m9"), ("documents", "d9")})
    issues, _ = faults(
        ("/documents/0/author", "m9"),
        ("/documents/0/replaces", "d9"),
        ("/lead", "m9"),
        known=known,
    )
    assert issues == set()


def test_a_lead_who_is_nobody_is_left_out_alone():
    parsed = parse(body(changed(("/lead", "m9"))))
    assert told(parsed.issues) == {("dossier.reference-unresolved", "/lead")}
    assert parsed.refused == {("dossier", "lead")}
    assert "lead" not in parsed.dossier.content


def test_what_a_task_is_about_must_be_one_thing():
    issues, refused = faults(("/tasks/0/about", "d1"), ("/appointments/0/key", "d1"))
    assert issues == {("dossier.reference-ambiguous", "/tasks/0/about")}
    assert refused == {("tasks", "t1")}


def test_an_entry_does_not_come_back_to_itself():
    first = golden()["tasks"][0]
    tasks = [{**first, "key": k, "parent": p} for k, p in (("a", "b"), ("b", "a"), ("c", "a"))]
    issues, refused = faults(("/tasks", tasks))
    assert ("dossier.reference-cycle", "/tasks/0/parent") in issues
    assert ("dossier.reference-cycle", "/tasks/1/parent") in issues
    assert ("dossier.reference-unresolved", "/tasks/2/parent") in issues
    assert refused == {("tasks", key) for key in "abc"}


def test_a_long_chain_of_references_falls_at_once():
    task = {**golden()["tasks"][0], "owner": "m1"}
    del task["about"], task["comments"]
    chain = [{**task, "key": f"t{n}", "parent": f"t{n + 1}"} for n in range(5000)]
    issues, refused = faults(("/tasks", chain))
    assert len(issues) == len(refused) == 5000
    whole, nobody = faults(("/tasks", [*chain, {**task, "key": "t5000"}]))
    assert (whole, nobody) == (set(), frozenset())


def test_too_many_faults_refuse_the_dossier_as_a_whole():
    task = {**golden()["tasks"][0], "status": "?"}
    issues = fatal(("/tasks", [{**task, "key": f"t{n}"} for n in range(1100)]))
    assert ("dossier.too-many-faults", None) in issues


@pytest.mark.parametrize(
    ("file", "rule", "place"),
    [
        ({"data": "QQ"}, "dossier.attachment-base64", "data"),
        ({"data": "QR=="}, "dossier.attachment-base64", "data"),
        ({"data": "Q Q="}, "dossier.attachment-base64", "data"),
        ({"data": "é"}, "dossier.attachment-base64", "data"),
        ({"data": "QQ==", "size": 2}, "dossier.attachment-size", "size"),
        ({"data": "QQ==", "sha256": "0" * 64}, "dossier.attachment-hash", "sha256"),
        ({"data": "QUFBQUE="}, "dossier.attachment-too-large", "data"),
        ({"data": "QUFBQQ=="}, "dossier.attachment-too-large", "data"),
    ],
)
def test_the_bytes_of_a_file_are_what_is_said_of_them(file, rule, place):
    files = [{"mimeType": "text/plain", **file}]
    issues, refused = faults(("/documents/0/files", files), attachment_size_max=3)
    assert issues == {(rule, f"/documents/0/files/0/{place}")}
    assert refused == {("documents", "d1")}


def test_a_period_ends_after_it_starts_and_periods_follow_each_other():
    issues, _ = faults(
        ("/circle/0/periods", [{"start": "2026-02", "end": "2026-01-31"}, {"start": "2025"}]),
    )
    assert issues >= {
        ("dossier.period-order", "/circle/0/periods/0/end"),
        ("dossier.periods-order", "/circle/0/periods/1/start"),
    }


def test_two_members_of_one_national_identifier_bear_one_name():
    issues, refused = faults(("/circle/2/professional/nationalId", "810001234567"))
    assert ("dossier.member-conflict", "/circle/2/professional/nationalId") in issues
    assert ("circle", "m3") in refused
    assert ("circle", "m1") not in refused


def test_a_refused_entry_is_not_taken_for_an_absent_one():
    parsed = parse(body(changed(("/tasks/0/status", "?"), ("/complete", ["tasks", "circle"]))))
    assert parsed.dossier.complete == {"circle"}
    assert ("dossier.complete-suspended", "/complete/0") in told(parsed.issues)


def test_a_matricule_is_no_local_identifier():
    identifier = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}
    assert fatal(("/person/identifiers/0", identifier)) == {
        ("dossier.ins-as-identifier", "/person/identifiers/0/system")
    }


def test_no_text_of_an_issue_holds_a_value_of_the_dossiers():
    marks = golden()
    marks["person"]["identity"]["birthName"] = "SECRETMARK"
    marks["person"]["identity"]["sex"] = "SECRETMARK"
    marks["circle"][0]["professional"]["SECRETMARK"] = 1
    with pytest.raises(Unprocessable) as refusal:
        parse(body(marks))
    for issue in refusal.value.issues:
        assert "SECRETMARK" not in issue.text + issue.text_en + str(refusal.value)


@st.composite
def damaged(draw):
    """Draw a dossier with a few places changed to anything."""
    content = deepcopy(dict(draw(dossiers()).content))
    for _ in range(draw(st.integers(1, 4))):
        at, places = content, []
        while isinstance(at, dict | list) and at:
            step = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
            places.append((at, step))
            at = at[step]
        holder, step = draw(st.sampled_from(places))
        junk = draw(
            st.none()
            | st.booleans()
            | st.integers()
            | st.sampled_from(("", " ", "person", "2026-01-01", "a", "é", "1.5"))
            | st.just([])
            | st.just({})
            | st.just([{"key": "1"}])
        )
        if draw(st.booleans()):
            holder[step] = junk
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(("key", "extra", "a/b~c")))] = junk
        else:
            holder.append(junk)
    return content


@given(damaged())
@LAW
def test_a_damaged_dossier_is_refused_or_taken_in_part_and_never_breaks_the_reader(content):
    try:
        parsed = parse(body(content))
    except PasserelleError:
        return
    again = parse(dump(parsed.dossier))
    assert [said for said in again.issues if said.severity == "error"] == []
    assert again.dossier == parsed.dossier
    to_fhir(parsed.dossier, known_ids={})


@pytest.mark.nightly
@given(damaged())
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_dossier_never_breaks_the_reader_over_many(content):
    try:
        parsed = parse(body(content))
    except PasserelleError:
        return
    assert parse(dump(parsed.dossier)).dossier == parsed.dossier
    to_fhir(parsed.dossier, known_ids={})
