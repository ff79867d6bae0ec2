"""What operators see: messages, traces, parked groups, alerts, the state of services. Data with JSON in mind."""
