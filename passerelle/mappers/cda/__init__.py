"""CDA R2 documents: written, read, made from FHIR, told as XDS metadata."""
