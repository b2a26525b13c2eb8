"""Refusals and the one table of rules: the ground floor, known to every room."""
