"""Conversations: one instance for each, with attributes that are stored between its callbacks."""

from junctor.services.conversation.callbacks import Asked, on_complete, on_failure, on_reply, on_timer
from junctor.services.conversation.conversation import Conversation

__all__ = ("Asked", "Conversation", "on_complete", "on_failure", "on_reply", "on_timer")
