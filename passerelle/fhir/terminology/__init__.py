"""Terminology: code systems, value sets and concept maps, and what is asked of them; pure."""
