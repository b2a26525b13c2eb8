"""Whether a document is the one that its metadata describe: there, of that size, of that hash.

IHE ITI TF-3 4.2.3.2.8 and 4.2.3.2.24 (https://profiles.ihe.net/ITI/TF/Volume3/ch-4.2.html): SHA-1
tells an accident, not an attack; an archive is trusted for the channel it came through.
"""

import hashlib

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.mappers.xdm.xds_metadata import DocumentEntry


def check(entry: DocumentEntry, document: bytes | None) -> list[Issue]:
    """Give what does not agree between an entry and the bytes found at its URI (None: nothing).

    A hash or size that the metadata do not state is no disagreement.
    """
    if document is None:
        return [issue("xdm.document-not-there", "DocumentEntry.URI")]
    issues = []
    if entry.size is not None and entry.size != len(document):
        issues.append(issue("xdm.size-differs", "DocumentEntry.size"))
    digest = hashlib.sha1(document, usedforsecurity=False).hexdigest().upper()
    if entry.hash is not None and entry.hash != digest:
        issues.append(issue("xdm.hash-differs", "DocumentEntry.hash"))
    return issues
