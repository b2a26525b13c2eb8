"""Parts of resources: what `_summary` and `_elements` leave of them."""
