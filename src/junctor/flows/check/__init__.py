"""``junctor check``: everything that can be known of flows without running them."""
