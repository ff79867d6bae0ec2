"""Worker processes: handlers that run outside the node's process. The node keeps the queue and the journal; a worker
gets one delivery at a time, answers with an outcome, and can die without more than one attempt of one delivery."""
