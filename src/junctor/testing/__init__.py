"""What users and transports test with: contract suites, virtual time, harnesses."""
