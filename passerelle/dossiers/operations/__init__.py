"""The operations of the FHIR API that read or write the record, one file an operation."""
