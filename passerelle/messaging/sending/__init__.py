"""A mail written as exact bytes and handed over by SMTP."""
