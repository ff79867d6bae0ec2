"""Flow files: from YAML text with places to a flow, and from a wired flow back to the text of a file."""
