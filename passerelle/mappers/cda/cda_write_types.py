"""Writing the HL7 V3 data types of a CDA header: II, CD, IVL_TS, AD, TEL, PN.

https://www.hl7.org/implement/standards/product_brief.cfm?product_id=7 (CDA R2, data types R1).
"""

from collections.abc import Sequence

from lxml import etree

from passerelle.mappers.cda.cda_document import Address, InstanceIdentifier, PersonName, Telecom
from passerelle.mappers.xdm.xds_metadata import Coded
from passerelle.mappers.xml_writing import child


def write_identifier(
    parent: etree._Element, name: str, identifier: InstanceIdentifier | None
) -> None:
    """Write an II, nothing for None."""
    if identifier is not None:
        child(parent, name, {"root": identifier.root, "extension": identifier.extension})


def write_code(
    parent: etree._Element, name: str, code: Coded | None, translations: Sequence[Coded] = ()
) -> None:
    """Write a CD with its translations, nothing for None."""
    if code is None:
        return
    element = child(
        parent,
        name,
        {"code": code.code, "displayName": code.display, "codeSystem": code.system},
    )
    for translation in translations:
        write_code(element, "translation", translation)


def write_interval(parent: etree._Element, start: str | None, stop: str | None) -> bool:
    """Write an effectiveTime with low and high; tells whether there was one to write."""
    if start is None and stop is None:
        return False
    element = child(parent, "effectiveTime")
    for name, value in (("low", start), ("high", stop)):
        if value is not None:
            child(element, name, {"value": value})
    return True


def write_addresses(
    parent: etree._Element, addresses: Sequence[Address], *, demanded: bool
) -> None:
    """Write addresses; when there is none and one is demanded, say so with a nullFlavor."""
    for address in addresses:
        element = child(parent, "addr", {"use": address.use})
        for name, text in address.parts:
            child(element, name, text=text)
    if demanded and not addresses:
        child(parent, "addr", {"nullFlavor": "UNK"})


def write_telecoms(parent: etree._Element, telecoms: Sequence[Telecom], *, demanded: bool) -> None:
    """Write telecoms; when there is none and one is demanded, say so with a nullFlavor."""
    for telecom in telecoms:
        child(parent, "telecom", {"value": telecom.value, "use": telecom.use})
    if demanded and not telecoms:
        child(parent, "telecom", {"nullFlavor": "UNK"})


def write_name(parent: etree._Element, name: PersonName) -> None:
    """Write the name of a professional: prefix, given, family, suffix."""
    element = child(parent, "name")
    for part in ("prefix", "given", "family", "suffix"):
        text = getattr(name, part)
        if text:
            child(element, part, text=text)
