"""The table of the X-MSS headers."""

import pytest

from passerelle.errors.refusals import Unprocessable
from passerelle.messaging.sending.mss_headers import mss_headers

DOCTOR = "dr@cabinet.example"
CITIZEN = "279035121518989@patient.mssante.fr"


@pytest.mark.parametrize(
    ("recipient", "codes", "qualified", "last_word", "expected"),
    [
        (DOCTOR, [], False, False, {}),
        (DOCTOR, [], True, True, {}),
        (DOCTOR, ["34112-3"], False, False, {"X-MSS-INS": "N", "X-MSS-CODECDA": "34112-3"}),
        (
            DOCTOR,
            ["34112-3", "PRESC-BIO", "15508-5"],
            True,
            True,
            {"X-MSS-INS": "O", "X-MSS-CODECDA": "34112-3,PRESC-BIO,15508-5"},
        ),
        (CITIZEN, [], False, True, {"X-MSS-MES": "FIN"}),
        (CITIZEN, [], False, False, {}),
        (
            CITIZEN,
            ["34112-3"],
            True,
            True,
            {"X-MSS-INS": "O", "X-MSS-CODECDA": "34112-3", "X-MSS-MES": "FIN"},
        ),
    ],
)
def test_each_header_stands_where_the_reference_says(
    recipient: str, codes: list[str], qualified: bool, last_word: bool, expected: dict[str, str]
) -> None:
    found = mss_headers(
        nil="DEV935997",
        recipient=recipient,
        document_codes=codes,
        qualified_ins=qualified,
        last_word=last_word,
    )
    assert dict(found) == {"X-MSS-NIL": "DEV935997", **expected}


def test_every_fault_is_told() -> None:
    with pytest.raises(Unprocessable) as refusal:
        mss_headers(nil="", recipient=DOCTOR, document_codes=["a b", "ok", "x\r\nBcc: y"])
    assert [(issue.rule, issue.expression) for issue in refusal.value.issues] == [
        ("mss.nil-missing", "nil"),
        ("mss.document-code-invalid", "document_codes[0]"),
        ("mss.document-code-invalid", "document_codes[2]"),
    ]
