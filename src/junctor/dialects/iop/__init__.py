"""Interoperability on Python: programs written for ``iop``, or its older name ``grongier.pex``, run on this engine."""
