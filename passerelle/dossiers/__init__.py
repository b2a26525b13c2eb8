"""What the gateway does: the use cases, where the rooms below meet."""
