"""The FHIR REST API: routes, interactions, bodies in and out."""
