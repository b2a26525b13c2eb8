"""HTTP in, HTTP out: the FHIR REST API, the native dossier routes, health and metrics."""
