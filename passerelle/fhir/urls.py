"""Canonical addresses of our own and of the French guides that several rooms write and read."""

PASSERELLE = "https://passerelle.example/fhir"
"""Base of what we define; ``.example`` (RFC 2606) until the project owns a name."""

PASSERELLE_EXTENSION = PASSERELLE + "/StructureDefinition/"
DOSSIER_TAG = PASSERELLE + "/CodeSystem/dossier"
"""``meta.tag.system`` of what belongs to a dossier; the code is ``system|value``."""

PACKAGE_TAG = PASSERELLE + "/CodeSystem/package"
"""``meta.tag.system`` of what came with a FHIR package; the code is ``name#version``."""

MESSAGE_ID_SYSTEM = PASSERELLE + "/NamingSystem/message-id"
"""Identifier system of the Message-ID of a mail, on the Communication that stands for it."""

SENDING_SYSTEM = PASSERELLE + "/NamingSystem/mss-sending"
"""Identifier of "this version of this document to this address", so that asking twice is once."""

ADDRESS_SYSTEM = PASSERELLE + "/NamingSystem/mss-address"
"""Identifier system of an address of secure mail."""

FR_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
CDS = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/"
CDL = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/"
PDSM = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
ANNUAIRE = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/"
FR_CORE_0203 = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
FR_CORE_IDENTIFIER_TYPE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identifier-type"
HL7_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
