"""The language of searches: criteria, modifiers, chains, `_has`, `_filter`, compartments."""
