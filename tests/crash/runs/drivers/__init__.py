"""Flows with durable services, and programs that kill nodes which run them."""
