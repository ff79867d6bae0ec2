"""The ``iop`` command: productions on the command line, with the flags and the output of iop 4."""
