"""What differs between two dossiers."""

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mappers.native.dossier_diff import Change, diff

DOSSIER = {
    "format": "dossier/1",
    "id": {"system": "https://coordination.example/dossiers", "value": "D-1"},
    "version": "1",
    "updatedAt": "2026-03-02T10:15:00+01:00",
    "status": "active",
    "person": {"identity": {"birthName": "PAT-TROIS", "birthFirstNames": ["DOMINIQUE"]}},
    "circle": [
        {"key": "m1", "kind": "professional", "periods": [{"start": "2026-01-12"}]},
        {"key": "m2", "kind": "relative", "referent": True},
    ],
    "complete": ["circle"],
    "pathways": ["a"],
}


def changed(**changes):
    return deepcopy(DOSSIER) | changes


def test_a_dossier_does_not_differ_from_itself():
    assert diff(DOSSIER, deepcopy(DOSSIER)) == ()


def test_what_is_said_of_the_push_does_not_count():
    assert diff(DOSSIER, changed(version="2", updatedAt="2026-04-01T00:00:00Z", complete=[])) == ()


def test_what_is_empty_says_the_same_as_what_is_absent():
    assert diff(DOSSIER, changed(tasks=[], sharing={"decisions": []})) == ()


def test_the_order_of_entries_does_not_count():
    assert diff(DOSSIER, changed(circle=DOSSIER["circle"][::-1])) == ()


def test_entries_added_and_removed_are_named_by_their_keys():
    new = {"key": "m3", "kind": "structure"}
    assert diff(DOSSIER, changed(circle=[DOSSIER["circle"][0], new])) == (
        Change("circle", "m2", "removed", "", {"kind": "relative", "referent": True}),
        Change("circle", "m3", "added", "", None, {"kind": "structure"}),
    )


def test_a_change_inside_an_entry_has_its_pointer():
    circle = deepcopy(DOSSIER["circle"])
    circle[0]["periods"][0]["end"] = "2026-02-01"
    circle[1]["kind"] = "structure"
    assert diff(DOSSIER, changed(circle=circle)) == (
        Change("circle", "m1", "added", "/periods/0/end", None, "2026-02-01"),
        Change("circle", "m2", "changed", "/kind", "relative", "structure"),
    )


def test_members_that_are_no_list_are_compared_deeply():
    person = {"identity": {"birthName": "PAT/TROIS", "a/b": 1}}
    assert diff(DOSSIER, changed(person=person)) == (
        Change("person", None, "changed", "/identity/birthName", "PAT-TROIS", "PAT/TROIS"),
        Change("person", None, "removed", "/identity/birthFirstNames", ["DOMINIQUE"]),
        Change("person", None, "added", "/identity/a~1b", None, 1),
    )


def test_a_section_that_comes_is_told_entry_by_entry_and_a_plain_member_whole():
    after = changed(tasks=[{"key": "t1", "title": "x"}], lead="m1")
    assert diff(DOSSIER, after) == (
        Change("tasks", "t1", "added", "", None, {"title": "x"}),
        Change("lead", None, "added", "", None, "m1"),
    )


def test_lists_of_another_length_or_without_keys_are_changed_as_a_whole():
    assert diff(DOSSIER, changed(pathways=["a", "b"])) == (
        Change("pathways", None, "changed", "", ["a"], ["a", "b"]),
    )
    twice = [DOSSIER["circle"][0], DOSSIER["circle"][0]]
    assert diff(changed(circle=twice), changed(circle=twice)) == ()
    assert [c.path for c in diff(DOSSIER, changed(circle=twice))] == [
        "/1/key",
        "/1/kind",
        "/1/referent",
        "/1/periods",
    ]


def test_true_is_not_one():
    assert diff({"a": {"b": True}}, {"a": {"b": 1}}) == (
        Change("a", None, "changed", "/b", True, 1),
    )


leaves = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"])
json_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abk"), inner, max_size=3)
    ),
    max_leaves=8,
)
entries = st.lists(
    st.builds(
        lambda key, rest: {"key": key, **rest},
        st.sampled_from("123"),
        st.dictionaries(st.sampled_from("ab"), json_values, max_size=2),
    ),
    max_size=3,
    unique_by=lambda entry: entry["key"],
)
dossiers = st.dictionaries(st.sampled_from(["circle", "tasks", "x"]), entries | json_values)


def normal(value, *, section=False):
    if isinstance(value, dict):
        made = {name: normal(inner) for name, inner in value.items()}
        return {name: inner for name, inner in sorted(made.items()) if inner not in ([], {})}
    if isinstance(value, list):
        made = [normal(inner) for inner in value]
        keyed = section and all(isinstance(entry, dict) and "key" in entry for entry in made)
        return sorted(made, key=lambda entry: str(entry["key"])) if keyed else made
    return value


@settings(max_examples=200, deadline=None)
@given(dossiers, dossiers)
def test_nothing_is_told_exactly_when_nothing_differs(one, other):
    told = diff(one, other)
    left, right = (
        {name: normal(value, section=True) for name, value in sorted(made.items())}
        for made in (one, other)
    )
    same = repr(normal(left)) == repr(normal(right))
    assert (told == ()) is same
    mirrored = {"added": "removed", "removed": "added", "changed": "changed"}
    back = {(c.section, c.key, mirrored[c.kind], c.path) for c in diff(other, one)}
    assert {(c.section, c.key, c.kind, c.path) for c in told} == back
