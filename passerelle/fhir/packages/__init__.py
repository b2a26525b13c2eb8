"""FHIR packages: reading what guides are published as."""
