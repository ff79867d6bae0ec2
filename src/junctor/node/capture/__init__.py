"""A session as one file: what happened, with which code and settings, to be looked at and replayed elsewhere."""
