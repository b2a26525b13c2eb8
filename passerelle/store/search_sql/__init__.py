"""Searches as SQL: compiled once per shape, paged by keyset."""
