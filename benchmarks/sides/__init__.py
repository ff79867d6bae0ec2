"""The two sides of each job: ``*_bare`` is the yardstick, ``*_engine`` the same work through Junctor's public API.

A side is a function of one mapping (its parameters) that returns its figures by name; each call happens in a fresh
process. A bare side is written as well as we know how: a slow yardstick would flatter the engine.
"""
