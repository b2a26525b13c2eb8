"""The French update of a document's metadata: which elements a patch may change.

https://interop.esante.gouv.fr/ig/fhir/pdsm/st_maj.html : ``status``, ``securityLabel`` and the
extension that says that it is archived; anything else is answered 405.
"""

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.document_sharing.pdsm_profiles import ARCHIVED, COMPREHENSIVE, profiles
from passerelle.fhir.resource import Resource

OPEN = frozenset({"status", "_status", "securityLabel"})
OF_THE_RECORD = frozenset({"versionId", "lastUpdated"})


def faults(before: Resource, after: Resource) -> list[Issue]:
    """Say which elements of a PDSm document a patch changed that it may not change.

    ``before`` decides whether it is one: a patch may not take the profile away.
    """
    if before.get("resourceType") != "DocumentReference":
        return []
    if COMPREHENSIVE not in profiles(before):
        return []
    old, new = _closed(before), _closed(after)
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [
        issue("document.metadata-only", f"DocumentReference.{name.removeprefix('_')}")
        for name in changed
    ]


def _closed(resource: Resource) -> Resource:
    """Give the elements that a patch must leave as they are."""
    closed = {name: value for name, value in resource.items() if name not in OPEN}
    meta = resource.get("meta")
    if isinstance(meta, dict):
        closed["meta"] = {k: v for k, v in meta.items() if k not in OF_THE_RECORD}
    extensions = resource.get("extension")
    if isinstance(extensions, list):
        kept = [one for one in extensions if not _is_archived(one)]
        closed.pop("extension")
        if kept:
            closed["extension"] = kept
    return closed


def _is_archived(extension: object) -> bool:
    return isinstance(extension, dict) and extension.get("url") == ARCHIVED
