"""Bundles read (transactions, batches) and written (answers)."""
