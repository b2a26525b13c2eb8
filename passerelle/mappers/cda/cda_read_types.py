"""Reading the HL7 V3 data types of a CDA header: II, CD, IVL_TS, AD, TEL, PN.

https://www.hl7.org/implement/standards/product_brief.cfm?product_id=7 (CDA R2, data types R1). A
value with only a nullFlavor is a value that is not there.
"""

from lxml import etree

from passerelle.mappers.cda.cda_document import Address, InstanceIdentifier, PersonName, Telecom
from passerelle.mappers.xdm.xds_metadata import Coded
from passerelle.mappers.xml_reading import attribute, text

NS = "{urn:hl7-org:v3}"


def read_identifiers(parent: etree._Element, name: str) -> tuple[InstanceIdentifier, ...]:
    """Read the II of that name among the children."""
    found = []
    for element in parent.findall(NS + name):
        root = attribute(element, "root")
        if root is not None:
            found.append(InstanceIdentifier(root, attribute(element, "extension")))
    return tuple(found)


def read_code(element: etree._Element | None) -> Coded | None:
    """Read a CD without its translations."""
    code = attribute(element, "code")
    if code is None:
        return None
    return Coded(
        code, attribute(element, "codeSystem") or "", attribute(element, "displayName") or ""
    )


def read_translations(element: etree._Element | None) -> tuple[Coded, ...]:
    """Read the translations of a CD, those that have a code."""
    if element is None:
        return ()
    codes = map(read_code, element.findall(f"{NS}translation"))
    return tuple(code for code in codes if code is not None)


def read_interval(element: etree._Element | None) -> tuple[str | None, str | None]:
    """Read the bounds of an IVL_TS; a single value is its start."""
    if element is None:
        return None, None
    low = attribute(element.find(f"{NS}low"), "value") or attribute(element, "value")
    return low, attribute(element.find(f"{NS}high"), "value")


def read_addresses(parent: etree._Element) -> tuple[Address, ...]:
    """Read the addresses that have at least one part."""
    found = []
    for element in parent.findall(f"{NS}addr"):
        parts = tuple(
            (etree.QName(part).localname, value)
            for part in element
            if (value := text(part)) is not None
        )
        if parts:
            found.append(Address(parts, attribute(element, "use")))
    return tuple(found)


def read_telecoms(parent: etree._Element) -> tuple[Telecom, ...]:
    """Read the telecoms that have a value."""
    found = []
    for element in parent.findall(f"{NS}telecom"):
        value = attribute(element, "value")
        if value is not None:
            found.append(Telecom(value, attribute(element, "use")))
    return tuple(found)


def read_name(element: etree._Element | None) -> PersonName | None:
    """Read the name of a professional or relative; None when no part of it is there."""
    if element is None:
        return None
    name = PersonName(
        *(text(element.find(NS + part)) for part in ("family", "given", "prefix", "suffix"))
    )
    return name if any(name) else None
