"""Sockets, TLS and protocols: uvicorn's, with the limits that it leaves open."""
