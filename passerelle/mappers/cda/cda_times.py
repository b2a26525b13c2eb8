"""HL7 time stamps: local with offset in the CDA, UTC in the metadata, ISO 8601 in FHIR.

HL7 v3 TS (``20210401134745+0100``), IHE DTM (https://profiles.ihe.net/ITI/TF/Volume3/ch-4.2.html
#4.2.3.1.7: UTC, ``YYYY[MM[DD[hh[mm[ss]]]]]``), FHIR dateTime
(https://hl7.org/fhir/R4/datatypes.html#dateTime).
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_TS = re.compile(r"(\d{4,14})(?:\.\d{1,4})?(?:([+-])(\d{2})(\d{2}))?")
_FORMS = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_FHIR = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?"
)


def utc_time(value: str | None) -> str | None:
    """Turn a TS into UTC with the same precision; a time without offset, or a date, stays as it is.

    What is no TS gives None: there is nothing true to say in its place.
    """
    match = None if value is None else _TS.fullmatch(value)
    if match is None or len(match[1]) % 2:
        return None
    digits, sign, hours, minutes = match.groups()
    form = _FORMS.get(len(digits))
    if sign is None or form is None:
        return digits
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        zone = timezone(offset if sign == "+" else -offset)
        local = datetime.strptime(digits, form).replace(tzinfo=zone)
        return local.astimezone(UTC).strftime(form)
    except (ValueError, OverflowError):
        return None


def hl7_time(value: str | None) -> str | None:
    """Turn a FHIR date, dateTime or instant into a TS, its offset kept and fractions dropped.

    What is none of these gives None.
    """
    match = None if value is None else _FHIR.fullmatch(value)
    if match is None:
        return None
    *digits, zone = match.groups()
    offset = "" if zone is None else "+0000" if zone == "Z" else zone.replace(":", "")
    return "".join(part or "" for part in digits) + offset
