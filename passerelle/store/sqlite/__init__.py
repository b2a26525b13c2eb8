"""The embedded record: one file, one writer, many readers."""
