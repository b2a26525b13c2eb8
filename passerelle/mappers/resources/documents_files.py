"""A file of a document to and from Attachment, and the Binary of its bytes.

PDSm 3.1.1 (https://interop.esante.gouv.fr/ig/fhir/pdsm/): ``attachment.hash`` is the SHA-1 of the
bytes, ``url`` is ``Binary/{id}``. Of a file given by its address no hash is known: the element says
so with a data-absent-reason.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from hashlib import sha1
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.native.dossier_naming import Naming, resource
from passerelle.mappers.resources.documents_defaults import LANGUAGE
from passerelle.mappers.resources.fhir_elements import (
    Element,
    absent,
    filled,
    is_supplied,
    own,
    own_value,
    supplied,
)

_BINARY = "Binary/"
DOMAIN = "files"
"""The identifier domain of the files of documents."""


def identifier(names: Naming, key: str, index: int) -> Element:
    """Give the identifier of one file of a document; the id of its Binary hangs on it."""
    return names.identifier(DOMAIN, key, str(index))


def attachment(document: Mapping[str, Any], index: int, names: Naming) -> Element:
    """Make the Attachment of one file of a document."""
    return file_attachment(
        document["files"][index],
        identifier(names, document["key"], index),
        names,
        language=LANGUAGE,
        title=document["title"],
        created_at=document["createdAt"],
    )


def file_attachment(
    file: Mapping[str, Any],
    named: Element,
    names: Naming,
    *,
    language: str | None = None,
    title: str | None = None,
    created_at: str | None = None,
) -> Element:
    """Make the Attachment of a file; ``named`` is the identifier that its Binary hangs on."""
    name, sha256, url = file.get("name"), file.get("sha256"), file.get("url")
    data = content(file)
    return filled(
        {
            "extension": [
                *([own("file-name", valueString=name)] if name else ()),
                *([own("file-sha256", valueString=sha256)] if sha256 else ()),
                *([own("file-source-url", valueUrl=url)] if url and data is not None else ()),
            ],
            "contentType": file["mimeType"],
            "language": language,
            **_place(file, names.key("Binary", named).id),
            **_size(file, data),
            **({"_hash": absent("unknown")} if data is None else {"hash": sha1_of(data)}),
            "title": title,
            "creation": created_at,
        }
    )


def binary(
    document: Mapping[str, Any], index: int, names: Naming, context: Element
) -> tuple[Resource, bytes] | None:
    """Make the Binary of a file and give its bytes apart; None for a file given by its address.

    ``context`` is the reference to the DocumentReference that the rights on it follow.
    """
    named = identifier(names, document["key"], index)
    return file_binary(document["files"][index], named, names, context)


def file_binary(
    file: Mapping[str, Any], named: Element, names: Naming, context: Element
) -> tuple[Resource, bytes] | None:
    """Make the Binary that bears an identifier, and give its bytes apart; None without bytes."""
    data = content(file)
    if data is None:
        return None
    made = resource(names, "Binary", named, None, tagged=True)
    return {**made, "contentType": file["mimeType"], "securityContext": context}, data


def content(file: Mapping[str, Any]) -> bytes | None:
    """Give the bytes that came with a file; raises ValueError for bad base64."""
    return b64decode(file["data"], validate=True) if "data" in file else None


def native_file(found: Mapping[str, Any], open_blob: Callable[[str], bytes] | None) -> Entry:
    """Read a file from its Attachment; without ``open_blob`` it is named by its address."""
    url, source_url = found.get("url", ""), own_value(found, "file-source-url")
    kept = is_supplied(found.get("_url"))
    data = open_blob(url.removeprefix(_BINARY)) if kept and open_blob else None
    inline = found.get("data")
    return filled(
        {
            "mimeType": found.get("contentType"),
            "name": own_value(found, "file-name"),
            "size": None if is_supplied(found.get("_size")) else found.get("size"),
            "sha256": own_value(found, "file-sha256"),
            "url": source_url if kept and open_blob else url or None,
            "data": inline if data is None else b64encode(data).decode(),
        }
    )


def _place(file: Mapping[str, Any], binary_id: str) -> Element:
    if "data" not in file:
        return {"url": file["url"]}
    return {"url": _BINARY + binary_id, "_url": {"extension": supplied()}}


def _size(file: Mapping[str, Any], data: bytes | None) -> Element:
    if "size" in file:
        return {"size": file["size"]}
    if data is None:
        return {"_size": absent("unknown")}
    return {"size": len(data), "_size": {"extension": supplied()}}


def sha1_of(data: bytes) -> str:
    """Give the hash that PDSm fixes; it guards against accidents, not against attackers."""
    return b64encode(sha1(data, usedforsecurity=False).digest()).decode()
