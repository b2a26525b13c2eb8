"""What operations ask of the record beside searches, and what they are told; no SQL here.

https://hl7.org/fhir/R4/patient-operation-everything.html ,
https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from typing import NamedTuple


class Marks(NamedTuple):
    """Profiles, and (system, code) of the tags and security labels, that resources bear."""

    profiles: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    security: tuple[tuple[str, str], ...]
