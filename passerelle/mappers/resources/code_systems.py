"""Addresses of the French code systems that the mappers write and read.

Nomenclatures des objets de santé: https://mos.esante.gouv.fr/NOS/ ; FR Core 2.2.0:
https://hl7.fr/ig/fhir/core/ .
"""


def _tre(number: str, name: str) -> str:
    """Give the address of a TRE: underscore in the folder, hyphen in the last part."""
    return f"https://mos.esante.gouv.fr/NOS/TRE_{number}-{name}/FHIR/TRE-{number}-{name}"


TRE_A00 = _tre("A00", "ProducteurDocNonPS")
TRE_A01 = _tre("A01", "CadreExercice")
TRE_A03 = _tre("A03", "ClasseDocument")
TRE_A06 = _tre("A06", "FormatCodeComplementaire")
TRE_A07 = _tre("A07", "StatutVisibiliteDocument")
TRE_A08 = _tre("A08", "HL7Confidentiality")
TRE_A11 = _tre("A11", "IheFormatCode")
TRE_R02 = _tre("R02", "SecteurActivite")
TRE_R13 = _tre("R13", "CommuneOM")
TRE_R20 = _tre("R20", "Pays")
TRE_R85 = _tre("R85", "RolePriseCharge")
TRE_R38 = _tre("R38", "SpecialiteOrdinale")
TRE_R216 = _tre("R216", "HL7RoleCode")
TRE_R234 = _tre("R234", "TypeNote")
TRE_R256 = _tre("R256", "TypeMessagerie")
TRE_R257 = _tre("R257", "TypeBAL")
TRE_R260 = _tre("R260", "HL7RoleClass")

IDENTITY_STATUS = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445"
IDENTITY_COLLECTION = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-method-collection"
IDENTITY_VALIDATION = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity"

PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
LANGUAGES = "urn:ietf:bcp:47"

RPPS = "https://rpps.esante.gouv.fr"
IDNPS = "urn:oid:1.2.250.1.71.4.2.1"
IDNST = "urn:oid:1.2.250.1.71.4.2.2"
FINESS = "https://finess.esante.gouv.fr"
SIRENE = "https://sirene.fr"
URIS = "urn:ietf:rfc:3986"
