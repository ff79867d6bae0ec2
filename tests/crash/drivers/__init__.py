"""Programs that crash tests run and kill. They know the transport contract only, so that whole nodes can follow."""
