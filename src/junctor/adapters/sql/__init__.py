"""SQL: rows of a database as messages, and a statement for each message."""
