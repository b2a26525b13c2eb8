"""Other servers that install from public registries, put beside the gateway in the same run."""
