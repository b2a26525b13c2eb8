"""What is said of terminology that is not here: that it is not, and where it may be had.

https://hl7.org/fhir/R4/terminologies-systems.html . A canonical begins with an address of its
publisher, and each publisher has a package, or none that is public.
"""

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.terminology.canonicals import shown

PACKAGES: tuple[tuple[str, str], ...] = (
    ("http://terminology.hl7.org/", "hl7.terminology.r4"),
    ("http://hl7.org/fhir/uv/extensions", "hl7.fhir.uv.extensions.r4"),
    ("http://hl7.org/fhir/sid/", ""),
    ("http://hl7.org/fhir/", "hl7.fhir.r4.core"),
    ("https://hl7.fr/ig/fhir/core", "hl7.fhir.fr.core"),
    ("http://interopsante.org/fhir/", "hl7.fhir.fr.core"),
    ("https://mos.esante.gouv.fr/NOS/", "ans.fr.terminologies"),
    ("https://smt.esante.gouv.fr/", "ans.fr.terminologies"),
    ("https://interop.esante.gouv.fr/ig/fhir/annuaire", "ans.fhir.fr.annuaire"),
    ("https://interop.esante.gouv.fr/ig/fhir/cdl", "ans.fhir.fr.cdl"),
    ("https://interop.esante.gouv.fr/ig/fhir/cds", "ans.fhir.fr.cds"),
    ("https://interop.esante.gouv.fr/ig/fhir/gap", "ans.fhir.fr.gap"),
    ("https://interop.esante.gouv.fr/ig/fhir/mss", "ans.fhir.fr.mss"),
    ("https://interop.esante.gouv.fr/ig/fhir/nde", "ans.fhir.fr.nde"),
    ("https://interop.esante.gouv.fr/ig/fhir/pdlgc", "ans.fhir.fr.pdlgc"),
    ("https://interop.esante.gouv.fr/ig/fhir/pdsm", "ans.fhir.fr.pdsm"),
    ("https://interop.esante.gouv.fr/ig/fhir/tddui", "ans.fhir.fr.tddui"),
    ("https://interop.esante.gouv.fr/ig/fhir/tde", "ans.fhir.fr.tde"),
    ("http://ihe.net/fhir/", "ihe.formatcode.fhir"),
    ("https://profiles.ihe.net/ITI/MHD", "ihe.iti.mhd"),
    ("http://dicom.nema.org/resources/ontology/DCM", "fhir.dicom"),
    ("http://snomed.info/", ""),
    ("http://loinc.org", ""),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", ""),
    ("http://www.ama-assn.org/go/cpt", ""),
    ("http://nucc.org/provider-taxonomy", ""),
    ("http://www.whocc.no/atc", ""),
    ("urn:iso:std:iso:", ""),
)
"""How a canonical begins, and the package of its publisher; empty: there is no public one."""


def missing_system(url: str) -> tuple[Issue, ...]:
    """Say that a code system is not here, and where it may be had when that is known."""
    return (issue("terminology.system-unknown", url=shown(url)), *_where(url))


def missing_value_set(url: str) -> tuple[Issue, ...]:
    """Say that a value set is not here, and where it may be had when that is known."""
    return (issue("terminology.value-set-unknown", url=shown(url)), *_where(url))


def package_of(url: str) -> str | None:
    """Give the package of a canonical's publisher; empty when none is public, None when unknown."""
    return next((package for begin, package in PACKAGES if url.startswith(begin)), None)


def _where(url: str) -> tuple[Issue, ...]:
    package = package_of(url)
    if package is None:
        return ()
    if not package:
        return (issue("terminology.no-public-package", url=shown(url)),)
    return (issue("terminology.in-package", url=shown(url), package=package),)
