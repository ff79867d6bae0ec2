"""A running Junctor: its data directory, what it hosts, how it is built and stopped, and the operations it answers."""
