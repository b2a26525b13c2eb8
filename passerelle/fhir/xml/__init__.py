"""FHIR as XML: read to the very dict that its JSON form gives, written from that dict."""
