"""Commons of Pip.Services: descriptors, configuration, conversion, data, errors, life cycle, validation and commands.

All of it is plain Python and knows nothing of the engine.
"""
