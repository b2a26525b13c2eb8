"""Native dossiers pushed and pulled."""
