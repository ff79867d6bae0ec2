"""What a user names on a command line, as a flow: user code is found and imported here, and only here."""
