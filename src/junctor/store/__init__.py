"""The store of a node: records in SQLite, one connection that writes them, others that read them."""
