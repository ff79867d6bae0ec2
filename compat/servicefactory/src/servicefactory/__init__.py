"""Python Service Factory on Junctor: ``from servicefactory import Service``."""
