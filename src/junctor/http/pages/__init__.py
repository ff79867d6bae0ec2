"""What the node itself answers: health, metrics, the index, and the documentation of its services."""
