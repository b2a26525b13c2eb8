"""The record on PostgreSQL: held connections, one statement or one transaction."""
