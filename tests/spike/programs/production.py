"""An iop production: the operation and the process of the pages, with a typed message."""

import asyncio
import os
import time
from dataclasses import dataclass

from junctor.dialects.iop import BusinessOperation, BusinessProcess, BusinessService, Message

EVENTS: list[str] = []


@dataclass
class MyRequest(Message):
    request_string: str = None


@dataclass
class MyResponse(Message):
    my_string: str = None


class MyBusinessOperation(BusinessOperation):
    gate: str = ""

    def on_init(self):
        EVENTS.append("on_init")
        self.log_info("[Python] MyBusinessOperation:on_init() is called")

    def on_teardown(self):
        EVENTS.append("on_teardown")

    def on_tear_down(self):
        EVENTS.append("on_tear_down")

    def on_message(self, message_input: "MyRequest"):
        self.log_info(
            "[Python] MyBusinessOperation:on_message() is called with message: " + message_input.request_string
        )
        if self.gate:
            self.wait_at_gate()
        if message_input.request_string.endswith("/sync"):
            self.send_request_async("Sender_py", message_input)
        return MyResponse(f"echo {message_input.request_string}")

    def wait_at_gate(self):
        open(f"{self.gate}.waiting", "w").close()
        while not os.path.exists(self.gate):
            time.sleep(0.01)


class MyBP(BusinessProcess):
    def on_message(self, request: MyRequest):
        self.send_request_async("Python.MyBO", MyRequest(f"{request.request_string}/1"), completion_key="1")
        self.send_request_async("Python.MyBO", MyRequest(f"{request.request_string}/2"), completion_key="2")
        self.response_sync = self.send_request_sync("Python.MyBO", MyRequest(f"{request.request_string}/sync"))

    def on_response(self, request, response, call_request, call_response, completion_key):
        if completion_key == "1":
            self.response_one = call_response
        elif completion_key == "2":
            self.response_two = call_response

    def on_complete(self, request, response):
        self.log_info(f"Received response one: {self.response_one.my_string}")
        self.log_info(f"Received response two: {self.response_two.my_string}")
        found = (self.response_sync, self.response_one, self.response_two)
        return MyResponse(", ".join(part.my_string for part in found))


class MyAsyncNGBP(BusinessProcess):
    def on_message(self, request: MyRequest):
        results = asyncio.run(self.await_response(request))
        return MyResponse(", ".join(result.my_string for result in results))

    async def await_response(self, request):
        tasks = []
        for i in range(3):
            tasks.append(self.send_request_async_ng("Python.MyBO", MyRequest(f"{request.request_string} {i}")))

        return await asyncio.gather(*tasks)


class MyPollingService(BusinessService):
    CallInterval = 0.05

    def get_adapter_type():
        return "Ens.InboundAdapter"

    def on_process_input(self):
        self.log_info("[Python] MyBusinessService:on_process_input() is called")
        EVENTS.append("on_process_input")
