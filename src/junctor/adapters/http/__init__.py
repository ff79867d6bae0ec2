"""HTTP: webhooks in, requests out."""
