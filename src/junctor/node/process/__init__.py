"""A node as a process: its start and end, what it tells its service manager, reloading while one writes."""
