"""Settings of components, and the classes that declare them."""
