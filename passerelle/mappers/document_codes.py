"""The tables of document codes: class of a type, format of a template or media type, systems.

Jeux de valeurs and associations of the NOS (https://mos.esante.gouv.fr/NOS/): JDV_J06, JDV_J07,
JDV_J10, ASS_X04 (type to class), ASS_A11 (template to format), ASS_A12 (media type to format).
"""

import tomllib
from importlib import resources

from passerelle.mappers.xdm.xds_metadata import Coded

HL7_FRANCE_TEMPLATE = "2.16.840.1.113883.2.8.2.1"
CI_SIS_TEMPLATE = "1.2.250.1.213.1.1.1.1"
XDS_SD_TEMPLATE = "1.3.6.1.4.1.19376.1.2.20"

LOINC = "2.16.840.1.113883.6.1"
TRE_A02 = "1.2.250.1.213.1.1.4.5"  # profession and savoir-faire
TRE_A03 = "1.2.250.1.213.1.1.4.1"  # class of document
TRE_A05 = "1.2.250.1.213.1.1.4.12"  # types beyond LOINC
TRE_A06 = "1.2.250.1.213.1.1.4.2.282"  # French formats
TRE_A07 = "1.2.250.1.213.1.1.4.13"  # visibility
TRE_A11 = "1.3.6.1.4.1.19376.1.2.3"  # IHE formats
TRE_R02 = "1.2.250.1.71.4.2.4"  # sector of activity
TRE_R209 = "1.2.250.1.213.2.2"  # type of activity
CONFIDENTIALITY = "2.16.840.1.113883.5.25"

_NOS = "https://mos.esante.gouv.fr/NOS/"
OID_OF_SYSTEM = {
    "http://loinc.org": LOINC,
    "http://snomed.info/sct": "2.16.840.1.113883.6.96",
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality": CONFIDENTIALITY,
    "http://terminology.hl7.org/CodeSystem/v3-ActCode": "2.16.840.1.113883.5.4",
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction": "2.16.840.1.113883.5.88",
    "http://hl7.org/fhir/sid/icd-10": "2.16.840.1.113883.6.3",
    f"{_NOS}TRE_A00-ProducteurDocNonPS/FHIR/TRE-A00-ProducteurDocNonPS": "1.2.250.1.213.1.1.4.6",
    f"{_NOS}TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice": "1.2.250.1.213.1.1.4.9",
    f"{_NOS}TRE_A02-ProfessionSavFaire-CISIS/FHIR/TRE-A02-ProfessionSavFaire-CISIS": TRE_A02,
    f"{_NOS}TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument": TRE_A03,
    f"{_NOS}TRE_A04-Loinc/FHIR/TRE-A04-Loinc": LOINC,
    f"{_NOS}TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire": TRE_A05,
    f"{_NOS}TRE_A06-FormatCodeComplementaire/FHIR/TRE-A06-FormatCodeComplementaire": TRE_A06,
    f"{_NOS}TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument": TRE_A07,
    f"{_NOS}TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality": CONFIDENTIALITY,
    f"{_NOS}TRE_A09-DICOMuidRegistry/FHIR/TRE-A09-DICOMuidRegistry": "1.2.840.10008.2.6.1",
    f"{_NOS}TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode": TRE_A11,
    f"{_NOS}TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante": "1.2.250.1.71.1.2.7",
    f"{_NOS}TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite": TRE_R02,
    f"{_NOS}TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale": "1.2.250.1.213.2.28",
    f"{_NOS}TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge": "1.2.250.1.213.1.6.1.107",
    f"{_NOS}TRE_R209-TypeActivite/FHIR/TRE-R209-TypeActivite": TRE_R209,
}
"""OID of a FHIR code system; ``urn:oid:…`` speaks for itself (see :func:`oid_of`)."""

_TABLE = tomllib.loads(
    resources.files("passerelle.mappers").joinpath("document_types.toml").read_text("utf-8")
)

CLASSES: dict[str, str] = {code: entry["label"] for code, entry in _TABLE["classes"].items()}
"""TRE_A03: label of a class."""

TYPES: dict[str, str] = {
    code: label for entry in _TABLE["classes"].values() for code, label in entry["types"].items()
}
"""JDV_J07: label of a type."""

CLASS_OF_TYPE = {
    kind: Coded(code, TRE_A03, entry["label"])
    for code, entry in _TABLE["classes"].items()
    for kind in entry["types"]
}
"""Class by code of type, when the sender gives none.

UNCONFIRMED: ASS_X04 itself was not at hand; 11502-2, 18748-4, 11490-0, SYNTH and 96163-1 are as ANS
has them, the rest is read from the labels. A class that is given always wins.
"""

SECTORS: dict[str, str] = _TABLE["sectors"]
"""JDV_J02: label of a healthcareFacilityTypeCode."""

SETTINGS: dict[str, str] = _TABLE["settings"]
"""JDV_J04: label of a practiceSettingCode."""

CONFIDENTIALITIES = {"N": "Normal", "R": "Restreint", "V": "Très restreint"}
"""TRE_A08: label of a confidentialityCode."""

FORMAT_OF_MEDIA = {
    "application/pdf": Coded(
        "urn:ihe:iti:xds-sd:pdf:2008", TRE_A11, "Document à corps non structuré en Pdf/A-1"
    ),
    "text/plain": Coded(
        "urn:ihe:iti:xds-sd:text:2008", TRE_A11, "Document à corps non structuré en texte brut"
    ),
    "image/jpeg": Coded(
        "urn:ihe:iti-fr:xds-sd:jpeg:2010", TRE_A11, "Document à corps non structuré en format jpeg"
    ),
    "image/tiff": Coded(
        "urn:ihe:iti-fr:xds-sd:tiff:2010", TRE_A11, "Document à corps non structuré en format tiff"
    ),
    "text/rtf": Coded(
        "urn:ihe:iti-fr:xds-sd:rtf:2010", TRE_A11, "Document à corps non structuré en format rtf"
    ),
}
"""Format of a level 1 body (ASS_A12)."""

NO_MODEL = Coded(
    "urn:asipSante:modelesHorsProfils:2011", TRE_A06, "Document non référencé IHE ou CI-SIS"
)

_CI_SIS = "1.2.250.1.213.1.1.1."
_FORMATS = {
    "1.3.6.1.4.1.19376.1.3.3": "urn:ihe:lab:xd-lab:2008|Compte rendu structuré d'examens de "
    "biologie médicale",
    f"{_CI_SIS}5.1": "urn:asip:ci-sis:cse-cs8:2017|Certificat de santé du 8ème jour de l'enfant",
    f"{_CI_SIS}5.2": "urn:asip:ci-sis:cse-cs9:2017|Certificat de santé du 9ème mois de l'enfant",
    f"{_CI_SIS}5.3": "urn:asip:ci-sis:cse-cs24:2017|Certificat de santé du 24ème mois de l'enfant",
    f"{_CI_SIS}5.4": "urn:ans:ci-sis:cse-mde:2023|Mesures de signes vitaux",
    f"{_CI_SIS}8": "urn:asip:ci-sis:frcp:2011|Fiche de réunion de concertation pluridisciplinaire",
    f"{_CI_SIS}13": "urn:asip:ci-sis:vsm:2012|Synthèse médicale",
    f"{_CI_SIS}20": "urn:asip:ci-sis:pps-paerpa:2017|Plan Personnalisé de Santé - PAERPA",
    f"{_CI_SIS}21": "urn:asip:ci-sis:ldl-ees:2017|Lettre de Liaison à l'entrée d'un établissement "
    "de santé",
    f"{_CI_SIS}22": "urn:asip:ci-sis:dlu:2015|Document de liaison d'urgence",
    f"{_CI_SIS}23": "urn:asip:ci-sis:fludt:2017|Fiche de liaison d'urgence - Transfert de l'EHPAD "
    "vers les urgences",
    f"{_CI_SIS}24": "urn:asip:ci-sis:fludr:2017|Fiche de liaison d'urgence - Retour des urgences "
    "vers l'EHPAD",
    f"{_CI_SIS}26": "urn:asip:ci-sis:pps-cancer:2017|Programme Personnalisé de Soins - Cancer",
    f"{_CI_SIS}29": "urn:asip:ci-sis:ldl-ses:2017|Lettre de Liaison à la sortie de l'établissement "
    "de santé",
    f"{_CI_SIS}36": "urn:asip:ci-sis:hr:2019|Données de remboursement",
    f"{_CI_SIS}37": "urn:asip:ci-sis:vac:2019|Historique des vaccinations",
    f"{_CI_SIS}39": "urn:ihe:pharm:pre:2010|Prescription de médicaments",
    f"{_CI_SIS}40": "urn:asip:ci-sis:cr-anest:2020|Compte rendu d'anesthésie",
    f"{_CI_SIS}41": "urn:asip:ci-sis:cr-cpa:2020|Compte rendu de consultation pré-anesthésique",
    f"{_CI_SIS}45": "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013|Compte-rendu d'imagerie "
    "médicale",
    f"{_CI_SIS}46": "urn:asip:ci-sis:vac-note:2021|Note de vaccination",
    f"{_CI_SIS}47": "urn:ans:ci-sis:img-da:2022|Demande d'actes d'imagerie",
    f"{_CI_SIS}51": "urn:ihe:pcc:ips:2020|Synthèse médicale",
    f"{_CI_SIS}52": "urn:ans:ci-sis:bio-ep-bio:2022|Prescription d'actes de biologie médicale",
    f"{_CI_SIS}54": "urn:ihe:pharm:dis:2010|Dispensation médicamenteuse",
    f"{_CI_SIS}55": "urn:ihe:lab:xd-lab:2008|Compte rendu structuré d'examens de biologie médicale",
    f"{_CI_SIS}56": "urn:asip:ci-sis:ppp:2023|Plan personnalisé de prévention",
    f"{_CI_SIS}57": "urn:ihe:palm:apsr:2016|CR d'anatomie et de cytologie pathologiques",
}
FORMAT_OF_TEMPLATE = {
    template: Coded(code, TRE_A11 if code.startswith("urn:ihe:") else TRE_A06, label)
    for template, (code, label) in ((key, line.split("|")) for key, line in _FORMATS.items())
}
"""Format of a structured document by templateId (ASS_A11, those of the CI-SIS models in use)."""

CONTENT_TYPES = {
    "IMP": Coded(
        "03", TRE_R209, "Hospitalisation complète (non compris hospitalisation de semaine)"
    ),
    "AMB": Coded("07", TRE_R209, "Consultations soins externes"),
    "EMER": Coded("07", TRE_R209, "Consultations soins externes"),
    "EXTERNE": Coded("07", TRE_R209, "Consultations soins externes"),
}
CONTENT_TYPE_ELSE = Coded("97", TRE_R209, "Type d'activité indifférencié")
"""contentTypeCode by kind of encounter (after the proposal for PV1-2 of the volet trans-cda-r2)."""


def oid_of(system: str | None) -> str | None:
    """Give the OID of a FHIR code or identifier system, or None when it is not known."""
    if system is None:
        return None
    if system.startswith("urn:oid:"):
        return system.removeprefix("urn:oid:")
    return OID_OF_SYSTEM.get(system)
