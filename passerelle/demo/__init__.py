"""The demonstration: sample dossiers and the scenario that make demo plays."""
