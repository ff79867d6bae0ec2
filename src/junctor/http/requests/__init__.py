"""What comes in: from a request to the arguments of a function."""
