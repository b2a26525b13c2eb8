"""Protocols of secure mail: messages, archives, SMTP, IMAP, receipts, white list."""
