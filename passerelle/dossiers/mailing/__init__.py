"""Documents sent by secure mail and the mail that comes back."""
