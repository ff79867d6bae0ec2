"""What operators see: logs that join the trace, metrics as text, alerts as records. Knows nothing of the runtime."""

__all__ = ()
