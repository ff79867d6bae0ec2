"""Programs that the crash tests of whole nodes run and kill."""
