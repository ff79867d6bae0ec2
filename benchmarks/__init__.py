"""Speed of the engine, as ratios against bare code that does the same job.

``python -m benchmarks`` runs every job; ``benchmarks.jobs`` is the one table of them. Only ratios taken in one run are
worth comparing: absolute rates move with the machine, its neighbours and its disk.
"""
