"""The readings of `$everything`: all that is about one person, page by page."""
