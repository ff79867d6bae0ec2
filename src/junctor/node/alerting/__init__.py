"""Alerts of a node: what it looks at, the services that raise and send, and the ways out: web, mail, programs."""
