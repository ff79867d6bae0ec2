"""A node as a process, and the commands."""

from __future__ import annotations

from junctor.errors.composition import ConfigurationError
from junctor.errors.root import JunctorError


class PortInUse(JunctorError):
    """The HTTP port is taken by another process."""

    code = "port-in-use"
    default_fix = "Choose another port with --port, or stop the process that uses it."


class NodeNotFound(JunctorError):
    """No running node and no store was found for a command."""

    code = "node-not-found"
    default_fix = "Run the command in the node's folder, or give --node PATH."
    status = 404


class NotPausable(JunctorError):
    """An operator wants to pause a service that others need."""

    code = "not-pausable"
    default_fix = "Pause the services that send to it."
    status = 409


class UnknownOperation(JunctorError):
    """The control socket was asked for an operation it does not have, or with wrong arguments."""

    code = "unknown-operation"
    default_fix = "`junctor --help` lists the commands."
    status = 404


class MissingExtra(ConfigurationError):
    """An optional part is not installed."""

    code = "missing-extra"
    default_fix = "Install the named extra with pip."
