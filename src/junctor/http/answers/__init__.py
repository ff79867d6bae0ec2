"""What goes out: responses, streams and files."""
