"""The contracts of the engine and its pure decisions. Nothing here does I/O, sets a timer or reads a clock."""
