"""Inputs of an operation: from a URL, from Parameters, all faults at once."""

from passerelle.fhir.operation_inputs import Input, holds, of_resource, read

DECLARED = (
    Input("mode", "code"),
    Input("persist", "boolean"),
    Input("_count", "integer"),
    Input("start", "date"),
    Input("_type", "code", max=None),
    Input("coding", "Coding"),
    Input("resource", "Resource"),
    Input("property", "part", max=None),
)


def parameters(*listed):
    return {"resourceType": "Parameters", "parameter": list(listed)}


def test_a_url_and_a_body_are_read_together():
    body = parameters(
        {"name": "_type", "valueString": "Task"},
        {"name": "coding", "valueCoding": {"code": "a"}},
        {"name": "resource", "resource": {"resourceType": "Nothing"}},
        {"name": "property", "part": [{"name": "code", "valueCode": "b"}]},
        {"name": "start", "valueDateTime": "2026-01-12T09:00:00Z"},
        {"name": "_count", "valuePositiveInt": 3},
    )
    found = read(DECLARED, [("mode", "create"), ("persist", "true"), ("_type", "Patient")], body)
    assert found.faults == ()
    assert found.values == {
        "mode": ["create"],
        "persist": [True],
        "_type": ["Patient", "Task"],
        "coding": [{"code": "a"}],
        "resource": [{"resourceType": "Nothing"}],
        "property": [[{"name": "code", "valueCode": "b"}]],
        "start": ["2026-01-12T09:00:00Z"],
        "_count": [3],
    }


def test_all_faults_are_told_at_once_with_their_places():
    pairs = [("persist", "yes"), ("_count", "many"), ("coding", "x"), ("mode", "a"), ("mode", "b")]
    found = read(DECLARED, pairs, parameters({"name": "start", "valueString": "2026-02-30"}))
    assert [(each.rule, each.expression) for each in found.faults] == [
        ("operation.input-malformed", "persist"),
        ("operation.input-malformed", "_count"),
        ("operation.input-malformed", "coding"),
        ("operation.input-malformed", "Parameters.parameter[0].value"),
        ("operation.input-repeated", "Parameters.parameter"),
    ]


def test_what_is_required_is_missed():
    (fault,) = read((Input("url", "uri", required=True),), [], None).faults
    assert fault.rule == "operation.input-missing"


def test_a_malformed_parameters_resource_is_told_but_not_the_resources_in_it():
    wrong = {"resourceType": "Patient", "birthDate": "x"}
    assert read(DECLARED, [], of_resource(wrong)).faults == ()
    found = read(DECLARED, [], {"resourceType": "Parameters", "parameter": [{"valueString": "x"}]})
    assert found.faults[0].expression == "Parameters.parameter[0].name"


def test_undeclared_names_are_told_once():
    assert read(DECLARED, [("x", "1"), ("x", "2")], None).unknown == ("x",)


def test_a_parameters_resource_that_is_no_such_thing_holds_nothing():
    assert not holds({"resourceType": "Parameters", "parameter": "x"}, "resource")
    assert holds(of_resource({}), "resource")
