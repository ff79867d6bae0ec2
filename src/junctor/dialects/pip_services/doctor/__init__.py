"""Finds the errors that projects of Pip.Services have, those of its first tutorial among them, and corrects them."""
