"""What FHIR R4 4.0.1 says. Pure: no disk at run time but our own tables, no network."""
