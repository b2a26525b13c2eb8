"""Sound resources that hostile ones are made of."""

from typing import Any

SEEDS: tuple[dict[str, Any], ...] = (
    {
        "resourceType": "Patient",
        "id": "a",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><b>a</b> &amp; b</div>',
        },
        "extension": [{"url": "urn:a", "valueDecimal": 1.5}],
        "identifier": [{"system": "urn:oid:1.2.3", "value": "42"}],
        "active": True,
        "name": [{"use": "official", "family": "Dùrand", "given": ["Aline", "Zoé"]}],
        "gender": "female",
        "birthDate": "1967-04",
        "_birthDate": {"extension": [{"url": "urn:b", "valueDateTime": "1967-04-01T10:00:00Z"}]},
        "contained": [{"resourceType": "Organization", "id": "o", "name": "A"}],
        "managingOrganization": {"reference": "#o"},
    },
    {
        "resourceType": "Observation",
        "id": "a",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "subject": {"reference": "Patient/a"},
        "effectivePeriod": {"start": "2026-01-01", "end": "2026-01-02T10:00:00+01:00"},
        "valueQuantity": {
            "value": 5.40,
            "unit": "mg",
            "system": "http://unitsofmeasure.org",
            "code": "mg",
        },
        "component": [{"code": {"text": "a"}, "valueInteger": 3}],
    },
    {
        "resourceType": "Location",
        "id": "a",
        "name": "L",
        "position": {"longitude": 2.3, "latitude": 48.8},
    },
    {
        "resourceType": "ValueSet",
        "id": "a",
        "url": "urn:vs",
        "status": "active",
        "compose": {
            "include": [
                {"system": "urn:cs", "concept": [{"code": "a"}]},
                {
                    "system": "urn:cs",
                    "filter": [{"property": "a", "op": "regex", "value": "(a+)+"}],
                },
            ]
        },
    },
    {
        "resourceType": "List",
        "id": "a",
        "status": "current",
        "mode": "working",
        "entry": [{"item": {"reference": "Patient/a"}}],
    },
    {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Basic"}}],
    },
    {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "QUJD"},
)
