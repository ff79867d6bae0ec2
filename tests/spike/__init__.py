"""Proof that the walls are right: programs of all four systems on one engine. The result: docs/decisions/0002.

``programs/`` is what users of those systems wrote, close to the seed pages; ``dialects/`` stands in for what such a
program imports and produces its specs. The real dialects replace all of it.
"""
