"""Whether a resource is what R4 says: structure, primitives, laws, narrative."""
