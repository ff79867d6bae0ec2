"""Finds the errors that services of microServiceBus have, those of its pages among them, and corrects them."""
