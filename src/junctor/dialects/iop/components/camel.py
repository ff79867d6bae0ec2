"""The names of ``grongier.pex``: hooks and calls in CamelCase, which programs of version 3 and before override and use.

Each snake_case hook calls the one in CamelCase, which by itself does nothing more; so either may be written. As in
version 3.2 and before, ``OnInit``, ``OnTearDown`` and ``OnConnected`` are called, too.
"""

from __future__ import annotations

import inspect
from typing import Any

from junctor.dialects.iop.components.adapters import InboundAdapter, OutboundAdapter
from junctor.dialects.iop.components.component import Component
from junctor.dialects.iop.components.host import BusinessHost
from junctor.dialects.iop.components.info import asked
from junctor.dialects.iop.components.logging import say
from junctor.dialects.iop.components.operation import BusinessOperation
from junctor.dialects.iop.components.process import BusinessProcess
from junctor.dialects.iop.components.service import BusinessService
from junctor.dialects.iop.components.untaken import tell_untaken


class CamelComponent(Component):
    """The names that all components had."""

    def on_init(self) -> Any:
        """Calls ``OnInit``."""
        return self.OnInit()

    def OnInit(self) -> Any:
        """See :meth:`Component.on_init`."""

    def on_tear_down(self) -> Any:
        """Calls ``OnTearDown``."""
        return self.OnTearDown()

    def OnTearDown(self) -> Any:
        """See :meth:`Component.on_tear_down`."""

    def on_connected(self) -> Any:
        """Calls ``OnConnected``."""
        return self.OnConnected()

    def OnConnected(self) -> Any:
        """See :meth:`Component.on_connected`."""

    @classmethod
    def get_adapter_type(cls) -> str | None:
        """What ``getAdapterType`` answers, however that is written."""
        answer = asked(cls, "getAdapterType")
        return answer if isinstance(answer, str) else None

    @staticmethod
    def getAdapterType() -> str | None:
        """See :meth:`Component.get_adapter_type`."""
        return None

    def LOGINFO(self, message: Any) -> None:
        """See :meth:`Component.log_info`."""
        say(self, "Info", message, None)

    def LOGWARNING(self, message: Any) -> None:
        """See :meth:`Component.log_warning`."""
        say(self, "Warning", message, None)

    def LOGERROR(self, message: Any) -> None:
        """See :meth:`Component.log_error`."""
        say(self, "Error", message, None)

    def LOGALERT(self, message: Any) -> None:
        """See :meth:`Component.log_alert`."""
        say(self, "Alert", message, None)

    def LOGASSERT(self, message: Any) -> None:
        """See :meth:`Component.log_assert`."""
        say(self, "Assert", message, None)


class CamelHost(CamelComponent, BusinessHost):
    """The names that services, processes and operations had."""

    def SendRequestSync(self, target: Any, request: Any, timeout: float = -1, description: str | None = None) -> Any:
        """See :meth:`BusinessHost.send_request_sync`."""
        return self.send_request_sync(target, request, timeout, description)

    def SendRequestAsync(self, target: Any, request: Any, *options: Any, **named: Any) -> None:
        """See ``send_request_async`` of the component, whose further parameters are taken as well."""
        self.send_request_async(target, request, *options, **_snake(named))


def _snake(named: dict[str, Any]) -> dict[str, Any]:
    """Parameters of version 2, ``completionKey``, by their later names."""
    names = {"completionKey": "completion_key", "responseRequired": "response_required"}
    return {names.get(name, name): value for name, value in named.items()}


class CamelService(CamelHost, BusinessService):
    """``BusinessService`` of ``grongier.pex``."""

    def on_process_input(self, message_input: Any = None) -> Any:
        """Calls ``OnProcessInput``."""
        own = self.OnProcessInput
        return own(message_input) if inspect.signature(own).parameters else own()

    def OnProcessInput(self, message_input: Any = None) -> Any:
        """See :meth:`BusinessService.on_process_input`."""
        return self.on_message(message_input)


class CamelOperation(CamelHost, BusinessOperation):
    """``BusinessOperation`` of ``grongier.pex``."""

    def on_message(self, request: Any) -> Any:
        """Calls ``OnMessage``."""
        return self.OnMessage(request)

    def OnMessage(self, request: Any) -> Any:
        """See :meth:`BusinessOperation.on_message`."""
        tell_untaken(self, request)


class CamelProcess(CamelHost, BusinessProcess):
    """``BusinessProcess`` of ``grongier.pex``."""

    def on_message(self, request: Any) -> Any:
        """Calls ``OnMessage``."""
        return self.OnMessage(request)

    def OnMessage(self, request: Any) -> Any:
        """See :meth:`BusinessProcess.on_message`."""
        return self.on_request(request)

    def on_request(self, request: Any) -> Any:
        """Calls ``OnRequest``."""
        return self.OnRequest(request)

    def OnRequest(self, request: Any) -> Any:
        """See :meth:`BusinessProcess.on_request`."""
        tell_untaken(self, request)

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: str | None
    ) -> Any:
        """Calls ``OnResponse``."""
        return self.OnResponse(request, response, call_request, call_response, completion_key)

    def OnResponse(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: str | None
    ) -> Any:
        """See :meth:`BusinessProcess.on_response`."""
        return response

    def on_complete(self, request: Any, response: Any) -> Any:
        """Calls ``OnComplete``."""
        return self.OnComplete(request, response)

    def OnComplete(self, request: Any, response: Any) -> Any:
        """See :meth:`BusinessProcess.on_complete`."""
        return response

    def SetTimer(self, timeout: float | str, completion_key: str | None = None) -> None:
        """See :meth:`BusinessProcess.set_timer`."""
        self.set_timer(timeout, completion_key)

    def Reply(self, response: Any) -> None:
        """See :meth:`BusinessProcess.reply`."""
        self.reply(response)


class CamelInboundAdapter(CamelComponent, InboundAdapter):
    """``InboundAdapter`` of ``grongier.pex``."""

    def on_task(self) -> Any:
        """Calls ``OnTask``."""
        return self.OnTask()

    def OnTask(self) -> Any:
        """See :meth:`InboundAdapter.on_task`."""


class CamelOutboundAdapter(CamelComponent, OutboundAdapter):
    """``OutboundAdapter`` of ``grongier.pex``."""
