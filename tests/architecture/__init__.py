"""The walls: what may import what, what is public, how long things may get, who may start tasks and threads."""
