"""A container in a node: its components as services of a flow."""
