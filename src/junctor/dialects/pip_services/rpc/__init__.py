"""HTTP of Pip.Services: endpoint, services, authorizers and clients, answered by the listener of a node."""
