"""Each resource of a dossier, to and from its entry of the native form."""
