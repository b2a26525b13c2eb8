"""FHIR packages made for a test, and the small terminology that is in one of them."""

import gzip
import io
import json
import tarfile
from typing import Any

COLOURS = "https://exemple.fr/CodeSystem/couleurs"
OLD_COLOURS = "https://exemple.fr/CodeSystem/anciennes-couleurs"
ALL = "https://exemple.fr/ValueSet/couleurs"
WARM = "https://exemple.fr/ValueSet/couleurs-chaudes"
MAP = "https://exemple.fr/ConceptMap/couleurs"
NOW = 1_768_208_400_000_000
"""2026-01-12T09:00:00Z"""


def archive(
    files: dict[str, Any],
    *,
    name: str = "exemple.couleurs",
    version: str = "1.0.0",
    **manifest: Any,
) -> bytes:
    """Pack files (JSON values or bytes) with a manifest."""
    said = {"name": name, "version": version, "fhirVersions": ["4.0.1"], **manifest}
    return tgz({"package/package.json": said, **files})


def tgz(files: dict[str, Any]) -> bytes:
    """Pack files as they are."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, value in files.items():
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            member = tarfile.TarInfo(path)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return gzip.compress(packed.getvalue(), mtime=0)


def concept(code: str, display: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "display": display, **more}


def code_system(version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """Colours: a small hierarchy, one ended and replaced, one that only groups."""
    return {
        "resourceType": "CodeSystem",
        "id": "couleurs",
        "url": COLOURS,
        "version": version,
        "name": "Couleurs",
        "status": "active",
        "content": "complete",
        "caseSensitive": False,
        "language": "fr",
        "property": [
            {"code": "dateFin", "type": "dateTime"},
            {"code": "teinte", "type": "code"},
        ],
        "concept": [
            concept(
                "chaude",
                "Couleur chaude",
                property=[{"code": "notSelectable", "valueBoolean": True}],
                concept=[
                    concept(
                        "rouge",
                        "Rouge",
                        property=[{"code": "teinte", "valueCode": "vive"}],
                        designation=[{"language": "en", "value": "Red"}],
                        concept=[concept("carmin", "Carmin")],
                    ),
                    concept("orange", "Orangé"),
                ],
            ),
            concept("bleu", "Bleu", designation=[{"language": "en", "value": "Blue"}]),
            concept(
                "garance",
                "Garance",
                property=[{"code": "dateFin", "valueDateTime": "2020-05-29T12:00:00+02:00"}],
                extension=[
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/codesystem-replacedby",
                        "valueCoding": {"system": COLOURS, "code": "rouge"},
                    }
                ],
            ),
        ],
        **more,
    }


def value_set(url: str, compose: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    made = {
        "resourceType": "ValueSet",
        "id": url.rpartition("/")[2],
        "url": url,
        "version": "1.0.0",
        "name": "Couleurs",
        "status": "active",
        **more,
    }
    return made if compose is None else made | {"compose": compose}


def all_colours() -> dict[str, Any]:
    return value_set(ALL, {"include": [{"system": COLOURS}]})


def warm_colours() -> dict[str, Any]:
    warm = {"property": "concept", "op": "descendent-of", "value": "chaude"}
    return value_set(WARM, {"include": [{"system": COLOURS, "filter": [warm]}]})


def concept_map(**group: Any) -> dict[str, Any]:
    return {
        "resourceType": "ConceptMap",
        "id": "couleurs",
        "url": MAP,
        "version": "1.0.0",
        "name": "Correspondance",
        "status": "active",
        "sourceUri": ALL,
        "targetUri": OLD_COLOURS + "/vs",
        "group": [
            {
                "source": COLOURS,
                "target": OLD_COLOURS,
                "element": [
                    {"code": "rouge", "target": [{"code": "R", "equivalence": "wider"}]},
                    {"code": "bleu", "target": [{"equivalence": "unmatched"}]},
                ],
                **group,
            }
        ],
    }


def colours(version: str = "1.0.0", **manifest: Any) -> bytes:
    """The package of colours."""
    return archive(
        {
            "package/CodeSystem-couleurs.json": code_system(version),
            "package/ValueSet-couleurs.json": all_colours(),
            "package/ValueSet-couleurs-chaudes.json": warm_colours(),
            "package/ConceptMap-couleurs.json": concept_map(),
            "package/example/Basic-1.json": {"resourceType": "Basic", "id": "1"},
            "package/.index.json": {"files": []},
            "package/other/notes.json": {"resourceType": "Basic"},
        },
        version=version,
        **manifest,
    )
