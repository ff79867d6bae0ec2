"""Productions operated from Python."""
