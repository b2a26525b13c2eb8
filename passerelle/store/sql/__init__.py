"""Statements and decisions that both databases share."""
