"""Documents that are shared: published, replaced, looked at beside their bytes."""
