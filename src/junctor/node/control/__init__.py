"""The control socket of a node: what can be asked of it, by whom, and the client that asks."""
