"""Search parameters, what they find in a resource, and searches as understood."""
