"""Pip.Services: templates. ``junctor.dialects.pip_services.alias`` fills it."""

from junctor.dialects.pip_services.alias import install as _install

_install(__name__)
