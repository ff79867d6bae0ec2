"""The examples on the pages of the four systems, run as they are written there."""
