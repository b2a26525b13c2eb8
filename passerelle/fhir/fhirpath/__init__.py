"""FHIRPath: expressions over resources, read once and turned into Python functions."""
