"""An own check of METADATA.XML against ebRIM 3.0: order of children, pointers, names, unique ids.

The OASIS schemas give RegistryObjectType the sequence Slot*, Name?, Description?, VersionInfo?,
Classification*, ExternalIdentifier*; ExtrinsicObject and RegistryPackage add elements after it.
"""

from collections import Counter

from lxml import etree

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
ORDER = [
    f"{RIM}{name}"
    for name in (
        "Slot",
        "Name",
        "Description",
        "VersionInfo",
        "Classification",
        "ExternalIdentifier",
        "ContentVersionInfo",
        "RegistryObjectList",
    )
]
ONCE = ORDER[1:4]
OBJECTS = [
    f"{RIM}{name}"
    for name in (
        "RegistryPackage",
        "ExtrinsicObject",
        "Association",
        "Classification",
        "ExternalIdentifier",
    )
]
REQUIRED = {
    "Classification": ("id", "classifiedObject"),
    "ExternalIdentifier": ("id", "registryObject", "identificationScheme", "value"),
    "Association": ("id", "associationType", "sourceObject", "targetObject"),
    "ExtrinsicObject": ("id", "mimeType", "objectType", "status"),
    "RegistryPackage": ("id", "status"),
}
NAMES = {
    "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446": "XDSSubmissionSet.patientId",
    "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832": "XDSSubmissionSet.sourceId",
    "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8": "XDSSubmissionSet.uniqueId",
    "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427": "XDSDocumentEntry.patientId",
    "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab": "XDSDocumentEntry.uniqueId",
}


def order_faults(metadata: bytes) -> list[str]:
    """Tell every fault, each as one word about one object."""
    root = etree.fromstring(metadata.strip(), etree.XMLParser(remove_comments=True))  # noqa: TID251
    faults = []
    ids = Counter(element.get("id") for element in root.iter(*OBJECTS))
    faults += [f"id twice: {found}" for found, count in ids.items() if count > 1]
    for element in root.iter(*OBJECTS):
        kind = etree.QName(element).localname
        faults += _children_faults(element, kind)
        faults += [f"{kind} lacks {name}" for name in REQUIRED[kind] if element.get(name) is None]
        pointer = element.get("classifiedObject") or element.get("registryObject")
        parent = element.getparent()
        if pointer is not None and parent is not None and pointer != parent.get("id"):
            faults.append(f"{kind} points elsewhere")
        name = NAMES.get(element.get("identificationScheme") or "")
        if name is not None and name != _name(element):
            faults.append(f"misspelt {name}")
        if kind == "Association" and element.get("objectType") == "Original":
            faults.append("Association has the status as objectType")
    if not metadata.startswith(b"<?xml"):
        faults.append("no prolog")
    return faults


def _children_faults(element: etree._Element, kind: str) -> list[str]:
    tags = [str(child.tag) for child in element]
    if any(tag not in ORDER for tag in tags):
        return [f"{kind} has a strange child"]
    faults = [f"{kind} has two {tag}" for tag in ONCE if tags.count(tag) > 1]
    if sorted(tags, key=ORDER.index) != tags:
        faults.append(f"{kind} out of order")
    return faults


def _name(element: etree._Element) -> str | None:
    found = element.find(f"{RIM}Name/{RIM}LocalizedString")
    return None if found is None else found.get("value")
