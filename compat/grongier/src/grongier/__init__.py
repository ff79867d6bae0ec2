"""Interoperability on Python 3 and before on Junctor."""
