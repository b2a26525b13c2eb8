"""A simulated outside world (MSSanté operator), independent of the gateway's own code."""
