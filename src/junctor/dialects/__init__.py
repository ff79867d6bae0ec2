"""Dialects: programs that were written for another framework run here, each by a producer of specs of its own."""
