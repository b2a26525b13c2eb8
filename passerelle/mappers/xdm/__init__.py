"""XDS metadata as values and as the METADATA.XML of an archive."""
