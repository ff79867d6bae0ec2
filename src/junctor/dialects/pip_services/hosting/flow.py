"""A container as a flow."""

from __future__ import annotations

from junctor.core.spec import service_name
from junctor.dialects.pip_services.commons.errors import ApplicationException
from junctor.dialects.pip_services.container.container import Container
from junctor.dialects.pip_services.container.refer.naming import told
from junctor.dialects.pip_services.hosting.hosted import Hosted
from junctor.dialects.pip_services.hosting.spec import container_spec, origin_of, part_spec
from junctor.errors import ConfigurationError
from junctor.flows.model import FlowModel
from junctor.observe.frames import short_path, users_place


def flow_of(hosted: Hosted) -> FlowModel:
    """The flow of a container: the service ``container`` leads the life of its components, each of which is a service
    named after its descriptor. The endpoint listens where its configuration says.

    The components are made and configured here; whatever they raise comes out.

    :raises ConfigurationError: the endpoint has no place to listen at.
    """
    hosted.compose()
    endpoint = hosted.endpoint
    flow = FlowModel(service_name(hosted.name), http=None if endpoint is None else endpoint.listening(hosted.name))
    flow.add(container_spec(hosted))
    for part in hosted.parts:
        flow.add(part_spec(part))
    return flow


def _in_configuration(error: Exception) -> str:
    """The line of the configuration file that an error is about; empty where it is about none."""
    details = error.details if isinstance(error, ApplicationException) and error.details is not None else {}
    return f"{short_path(str(details['path']))}:{details['line']}" if {"path", "line"} <= set(details) else ""


def problem_of(error: Exception, container: type[Container]) -> ConfigurationError:
    """What keeps a container from being made, in the words of Junctor."""
    if isinstance(error, ConfigurationError):
        return error
    kind = "" if isinstance(error, ApplicationException) else f"{type(error).__name__}: "
    place = users_place(error)
    where = origin_of(container) if place is None else f"{short_path(place.file)}:{place.line}"
    where = _in_configuration(error) or where
    fix = "Correct it; for a project from a tutorial `junctor doctor` tells what is wrong."
    return ConfigurationError(f"{kind}{told(error)}", where=where, fix=fix)
