"""How nodes run services of microServiceBus."""
