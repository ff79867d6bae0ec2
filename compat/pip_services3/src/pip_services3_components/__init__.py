"""Pip.Services: logging, counters, tracing, caches, connections and factories.

``junctor.dialects.pip_services.alias`` fills it.
"""

from junctor.dialects.pip_services.alias import install as _install

_install(__name__)
