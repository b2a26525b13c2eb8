"""Native dossier, CDA, XDM metadata to and from FHIR. Pure: no network, no disk."""
