"""Pip.Services: microservices that are composed of components by a YAML file run on this engine."""
