"""Files: ``file-in`` makes messages of them, ``file-out`` writes messages to them."""
