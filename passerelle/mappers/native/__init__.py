"""The native form of a dossier: read, checked, merged, to and from FHIR."""
