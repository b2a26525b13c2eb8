"""From which terminologies the codes of a PDSm document are taken (the ``constr-bind-…``).

https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition-pdsm-comprehensive-document-reference.html
. A project may restrict them to value sets of its own; a code system is named by its address or by
its OID. ``constr-bind-context-event`` ends with "other", so that there is nothing to check. The
text of ``constr-bind-ProducteurDoc`` stands on ``practiceSetting`` by mistake: its value set there
(JDV_J04) takes from TRE_A01.
"""

from typing import NamedTuple


class Binding(NamedTuple):
    """An element, its constraint, the systems its codes are taken from, and their short names."""

    path: str
    key: str
    systems: frozenset[str]
    names: str
    is_coding: bool = False


_NOS = "https://mos.esante.gouv.fr/NOS/"

SYSTEMS: dict[str, tuple[str, ...]] = {
    "TRE_A00": (
        _NOS + "TRE_A00-ProducteurDocNonPS/FHIR/TRE-A00-ProducteurDocNonPS",
        "1.2.250.1.213.1.1.4.6",
    ),
    "TRE_A01": (
        _NOS + "TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice",
        "1.2.250.1.213.1.1.4.9",
    ),
    "TRE_A03": (
        _NOS + "TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument",
        "1.2.250.1.213.1.1.4.1",
    ),
    "TRE_A05": (
        _NOS + "TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire",
        "1.2.250.1.213.1.1.4.12",
    ),
    "TRE_A06": (
        _NOS + "TRE_A06-FormatCodeComplementaire/FHIR/TRE-A06-FormatCodeComplementaire",
        "1.2.250.1.213.1.1.4.2.282",
    ),
    "TRE_A09": (
        _NOS + "TRE_A09-DICOMuidRegistry/FHIR/TRE-A09-DICOMuidRegistry",
        "1.2.840.10008.2.6.1",
    ),
    "TRE_A10": (_NOS + "TRE_A10-NomenclatureURN/FHIR/TRE-A10-NomenclatureURN", "URN"),
    "TRE_A11": (
        _NOS + "TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode",
        "1.3.6.1.4.1.19376.1.2.3",
    ),
    "TRE_A12": (_NOS + "TRE_A12-NomenclatureASTM/FHIR/TRE-A12-NomenclatureASTM", "ASTM"),
    "TRE_R02": (
        _NOS + "TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite",
        "1.2.250.1.71.4.2.4",
    ),
    "TRE_R209": (_NOS + "TRE_R209-TypeActivite/FHIR/TRE-R209-TypeActivite", "1.2.250.1.213.2.2"),
    "TRE_R276": (
        _NOS + "TRE_R276-FormeActivite/FHIR/TRE-R276-FormeActivite",
        "1.2.250.1.213.1.6.1.128",
    ),
    "LOINC": ("http://loinc.org", "2.16.840.1.113883.6.1"),
}
"""Short name to address and OID."""


def _binding(path: str, key: str, *names: str, is_coding: bool = False) -> Binding:
    systems = {each for name in names for each in SYSTEMS[name]}
    oids = {f"urn:oid:{each}" for each in systems if not each.startswith("http")}
    return Binding(path, key, frozenset(systems | oids), ", ".join(names), is_coding)


BINDINGS = (
    _binding("type", "constr-bind-type", "TRE_A05", "LOINC", "TRE_A12"),
    _binding("category", "constr-bind-category", "TRE_A03", "TRE_A10"),
    _binding(
        "content[0].format",
        "constr-bind-format",
        *("TRE_A06", "TRE_A11", "TRE_A09", "TRE_A10"),
        is_coding=True,
    ),
    _binding("context.facilityType", "constr-bind-ProducteurDoc", "TRE_A00", "TRE_R02"),
    _binding(
        "context.practiceSetting", "constr-bind-ProducteurDoc", "TRE_A00", "TRE_A01", "TRE_R02"
    ),
)
"""Of document references; those of the simplified publication are recommended only in a part."""

DESIGNATION = _binding(
    "extension", "constr-bind-designationtype", "TRE_A00", "TRE_R209", "TRE_R02", "TRE_R276"
)
"""Of submission sets. JDV_J03, which the constraint refers to, also takes from TRE_R276."""
