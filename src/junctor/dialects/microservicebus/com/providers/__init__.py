"""The ends that readings may go to, each with its settings: see :mod:`~..com.providers.base`."""
