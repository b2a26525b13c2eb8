"""What the terminology service can do, said from what is in the record.

https://hl7.org/fhir/R4/terminologycapabilities.html , answered to ``metadata?mode=terminology``.
"""

from collections.abc import Iterable, Sequence

import msgspec

from passerelle.fhir.terminology import grammars


def statement(
    code_systems: Iterable[tuple[str, str | None]],
    parameters: Sequence[str],
    *,
    base_url: str,
    software_version: str,
    date: str,
) -> bytes:
    """Write the TerminologyCapabilities.

    ``code_systems`` are those with concepts in the record, by url and version; to them come those
    whose codes a rule says. ``parameters`` are the inputs of ``$expand``.
    """
    versions: dict[str, set[str | None]] = {url: set() for url in grammars.ruled_systems()}
    for url, version in code_systems:
        versions.setdefault(url, set()).add(version)
    return msgspec.json.encode(
        {
            "resourceType": "TerminologyCapabilities",
            "status": "active",
            "date": date,
            "kind": "instance",
            "software": {"name": "Passerelle", "version": software_version},
            "implementation": {
                "description": "Passerelle : coordination des soins, HL7 FHIR R4",
                "url": base_url,
            },
            "lockedDate": False,
            "codeSystem": [_code_system(url, versions[url]) for url in sorted(versions)],
            "expansion": {
                "paging": True,
                "incomplete": False,
                "parameter": [{"name": name} for name in parameters],
            },
            "codeSearch": "explicit",
            "validateCode": {"translations": False},
            "translation": {"needsMap": True},
        }
    )


def _code_system(url: str, versions: set[str | None]) -> dict[str, object]:
    """Claim a code system; one without a version beside others that have one is not told apart."""
    coded = sorted(version for version in versions if version)
    claimed: dict[str, object] = {"uri": url}
    if coded:
        claimed["version"] = [
            {"code": version, **({"isDefault": True} if len(versions) == 1 else {})}
            for version in coded
        ]
    if not grammars.is_ruled(url):
        claimed["subsumption"] = True
    return claimed
