"""Messages between components."""
