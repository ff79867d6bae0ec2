"""Pip.Services: descriptors, configuration, data, errors, validation and commands.

``junctor.dialects.pip_services.alias`` fills it.
"""

from junctor.dialects.pip_services.alias import install as _install

_install(__name__)
