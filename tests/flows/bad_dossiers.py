"""Dossiers and sendings at fault: rows of the table of bad input."""

from tests.flows.bad_input import (
    CANARY,
    JSON,
    NIR_OID,
    PUSH,
    Answer,
    Case,
    dossier,
    identity,
    parameters,
    patient,
    push,
    send,
)

PUSHES = (
    push("an unknown element", Answer(422, "dossier.schema"), surname=CANARY),
    push("an unknown section", Answer(422, "dossier.schema"), prescriptions=[{"key": "1"}]),
    push("another format", Answer(422, "dossier.schema"), "/format", format="dossier/9"),
    push(
        "another id than the address",
        Answer(400, "dossier.id-mismatch"),
        "/id",
        id={"system": "https://coordination.example/dossiers", "value": "other"},
    ),
    push("a text for the person", Answer(422, "dossier.schema"), "/person", person=CANARY),
    push(
        "a day that is not in the calendar",
        Answer(422, "dossier.date"),
        "/person/identity/birthDate",
        **identity(birthDate="1979-02-30"),
    ),
    push(
        "a matricule with a wrong key",
        Answer(422, "ins.key"),
        "/person/identity/ins/number",
        **identity(ins={"number": "279035121518912", "oid": NIR_OID}),
    ),
    push(
        "a status that the facts do not bear",
        Answer(422, "dossier.identity-insufficient"),
        None,
        **identity(status="qualified"),
    ),
    push(
        "a reference to nobody",
        Answer(422, "dossier.reference-unresolved"),
        "/tasks/0/requester",
        tasks=[
            {
                "key": "t1",
                "title": CANARY,
                "status": "requested",
                "createdAt": "2026-11-20T10:00:00+01:00",
                "requester": "nobody",
            }
        ],
    ),
    push(
        "one key twice",
        Answer(422, "dossier.duplicate-key"),
        "/tasks/0/key",
        tasks=[
            {
                "key": "t1",
                "title": CANARY,
                "status": "requested",
                "createdAt": "2026-11-20T10:00:00+01:00",
            }
        ]
        * 2,
    ),
    push(
        "a file that is not what its hash says",
        Answer(422, "dossier.attachment-hash"),
        "/documents/0/files/0/sha256",
        documents=[
            {
                "key": "d1",
                "title": CANARY,
                "status": "current",
                "type": {"system": "http://loinc.org", "code": "11490-0"},
                "createdAt": "2026-11-20T10:00:00+01:00",
                "author": "m1",
                "files": [{"mimeType": "text/plain", "data": "QQ==", "sha256": "0" * 64}],
            }
        ],
    ),
    Case(
        "a name without a bar",
        "PUT",
        f"/dossiers/{CANARY}",
        Answer(400, "http.dossier-name"),
        dossier(),
        {"content-type": JSON},
    ),
    Case(
        "`If-Match` without its marks",
        "PUT",
        PUSH.path,
        Answer(400, "http.if-match-malformed"),
        dossier(),
        {"content-type": JSON, "if-match": "one"},
    ),
    Case(
        "`If-Match` of an older version",
        "PUT",
        "/dossiers/https://coordination.example/dossiers|there",
        Answer(412, "dossier.version-conflict"),
        dossier(id={"system": "https://coordination.example/dossiers", "value": "there"}),
        {"content-type": JSON, "if-match": '"0123456789abcdef"'},
    ),
    Case(
        "a change of a closed dossier",
        "PUT",
        "/dossiers/https://coordination.example/dossiers|closed",
        Answer(409, "dossier.closed"),
        dossier(
            id={"system": "https://coordination.example/dossiers", "value": "closed"},
            openedAt="2026-01-13",
        ),
        {"content-type": JSON},
    ),
)

SENDS = (
    send(
        "a resource that is no Parameters",
        patient(),
        Answer(400, "http.type-mismatch"),
        "resourceType",
    ),
    send(
        "no recipient",
        parameters(resend={"valueBoolean": True}),
        Answer(400, "sending.no-recipient"),
        "Parameters.parameter",
    ),
    send(
        "a recipient that is no text",
        {"resourceType": "Parameters", "parameter": [{"name": "recipient", "valueInteger": 1}]},
        Answer(400, "sending.unknown-parameter"),
        "Parameters.parameter[0]",
    ),
    send(
        "parameters that are a text",
        {"resourceType": "Parameters", "parameter": CANARY},
        Answer(400, "structure.expected-array"),
        "Parameters.parameter",
    ),
    send(
        "a parameter that is a text",
        {"resourceType": "Parameters", "parameter": [CANARY]},
        Answer(400, "structure.wrong-type"),
    ),
    send(
        "51 recipients",
        parameters(*[f"a{n}@demo.mssante.fr" for n in range(51)]),
        Answer(400, "sending.too-many-recipients"),
        "Parameters.parameter",
    ),
    send(
        "an address off the white list",
        parameters(f"{CANARY}@courriel.example"),
        Answer(422, "mss.recipient-not-listed"),
        "Parameters.parameter[0]",
    ),
    send(
        "an address that is none",
        parameters(CANARY),
        Answer(422, "mss.address-invalid"),
        "Parameters.parameter[0]",
    ),
    send(
        "an address with a line break",
        parameters("a@demo.mssante.fr\r\nBcc: b@demo.mssante.fr"),
        Answer(422, "mss.address-invalid"),
        "Parameters.parameter[0]",
    ),
    send(
        "the citizen address of another person",
        parameters("279035121518989@patient.mssante.fr"),
        Answer(422, "sending.citizen-needs-qualified"),
        "Parameters.parameter[0]",
    ),
    Case(
        "a document that is not there",
        "POST",
        "/fhir/DocumentReference/nowhere/$send-mss",
        Answer(404, "record.not-found"),
        parameters("a@demo.mssante.fr"),
    ),
    Case(
        "another type than a document",
        "POST",
        "/fhir/Patient/there/$send-mss",
        Answer(501, "http.not-there-yet"),
        parameters("a@demo.mssante.fr"),
    ),
)
