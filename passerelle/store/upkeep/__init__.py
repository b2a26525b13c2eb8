"""Looking after a record: check and reindex."""
