"""The X-MSS-* headers of a mail: one pure table of what stands there and when.

Référentiel socle MSSanté #2, ECO.2.4.1 to ECO.2.4.3 and ECO.2.2.8.
https://doc.devbox-sante.fr/ms-sante/howtos/entete-x-mss
"""

import re
from collections.abc import Sequence

from passerelle.errors.refusals import Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.messaging.addresses import is_citizen

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_NIL = re.compile(r"[A-Za-z0-9._-]{1,40}")
CODES_MAX = 20


def mss_headers(
    *,
    nil: str,
    recipient: str,
    document_codes: Sequence[str] = (),
    qualified_ins: bool = False,
    last_word: bool = False,
) -> tuple[tuple[str, str], ...]:
    """Give the X-MSS-* headers of a mail, in a fixed order.

    ``nil``: product reference number, on every mail. ``document_codes``: the
    ClinicalDocument/code of each CDA of the archive, in its order; X-MSS-CODECDA and X-MSS-INS
    stand only when there is one. ``qualified_ins``: the archive carries a qualified INS with its
    traits (NIR or NIA alike). ``last_word``: the sender wants no answer; it stands only to a
    citizen. Raises Unprocessable with every fault.
    """
    faults = _check(nil, document_codes)
    if faults:
        raise Unprocessable(*faults)
    headers = [("X-MSS-NIL", nil)]
    if document_codes:
        headers.append(("X-MSS-INS", "O" if qualified_ins else "N"))
        headers.append(("X-MSS-CODECDA", ",".join(document_codes)))
    if last_word and is_citizen(recipient):
        headers.append(("X-MSS-MES", "FIN"))
    return tuple(headers)


def _check(nil: str, document_codes: Sequence[str]) -> list[Issue]:
    faults = [] if _NIL.fullmatch(nil) else [issue("mss.nil-missing", "nil")]
    if len(document_codes) > CODES_MAX:
        faults.append(issue("mss.too-many-attachments", "document_codes", limit=CODES_MAX))
    faults += [
        issue("mss.document-code-invalid", f"document_codes[{place}]")
        for place, code in enumerate(document_codes)
        if not _CODE.fullmatch(code)
    ]
    return faults
