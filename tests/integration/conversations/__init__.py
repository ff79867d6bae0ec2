"""Conversations on a real engine."""
