"""Mail fetched by IMAP and read as receipts."""
