"""Hosting: from an item of a production to the service that the engine runs."""
