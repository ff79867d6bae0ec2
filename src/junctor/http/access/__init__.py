"""Who may talk to a listener: hosts, origins, keys."""
