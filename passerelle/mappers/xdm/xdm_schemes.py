"""The names and UUIDs that XDS gives to its metadata in ebRIM, as one table.

IHE ITI TF-3 4.2.5 (https://profiles.ihe.net/ITI/TF/Volume3/ch-4.2.html#4.2.5), OASIS ebRIM 3.0
(https://docs.oasis-open.org/regrep/v3.0/regrep-3.0-os.zip).
"""

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"

APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
STABLE_DOCUMENT = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
OBJECT_TYPE = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"

SET_MARKER = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
SET_AUTHOR = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
SET_CONTENT_TYPE = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
SET_PATIENT_ID = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
SET_SOURCE_ID = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
SET_UNIQUE_ID = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"

ENTRY_AUTHOR = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
ENTRY_CONFIDENTIALITY = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
ENTRY_EVENT = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
ENTRY_PATIENT_ID = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
ENTRY_UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"

ENTRY_CODES = {
    "class_code": "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a",
    "format_code": "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d",
    "facility_type": "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1",
    "practice_setting": "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead",
    "type_code": "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983",
}
"""Field of DocumentEntry to the classification scheme of its one code."""

ACTION_SLOT = "urn:action:extraMetadataSlot"
ENTRY_SLOTS = {
    "action": ACTION_SLOT,
    "hash": "hash",
    "size": "size",
    "uri": "URI",
    "creation_time": "creationTime",
    "language": "languageCode",
    "legal_authenticator": "legalAuthenticator",
    "service_start_time": "serviceStartTime",
    "service_stop_time": "serviceStopTime",
    "source_patient_id": "sourcePatientId",
}
"""Field of DocumentEntry to the name of its slot of one value."""

AUTHOR_SLOTS = {
    "institutions": "authorInstitution",
    "person": "authorPerson",
    "roles": "authorRole",
    "specialties": "authorSpecialty",
}

ENTRY_MANDATORY = {
    "hash": "hash",
    "size": "size",
    "uri": "URI",
    "mime_type": "mimeType",
    "creation_time": "creationTime",
    "service_start_time": "serviceStartTime",
    "language": "languageCode",
    "legal_authenticator": "legalAuthenticator",
    "source_patient_id": "sourcePatientId",
    "source_patient_info": "sourcePatientInfo",
    "title": "title",
    "authors": "author",
    "class_code": "classCode",
    "confidentiality": "confidentialityCode",
    "format_code": "formatCode",
    "facility_type": "healthcareFacilityTypeCode",
    "practice_setting": "practiceSettingCode",
    "type_code": "typeCode",
    "patient_id": "patientId",
    "unique_id": "uniqueId",
}
SET_MANDATORY = {
    "submission_time": "submissionTime",
    "authors": "author",
    "content_type": "contentTypeCode",
    "patient_id": "patientId",
    "source_id": "sourceId",
    "unique_id": "uniqueId",
}
"""Fields of cardinality 1 in the French volet, and the names of their metadata."""
