"""Passerelle: an open FHIR R4 gateway for French care coordination."""
