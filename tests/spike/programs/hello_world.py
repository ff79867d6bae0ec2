"""The Hello World of Pip.Services in one file. Mended: methods have ``self``, the base route is that of the page's URL.

Its controller asks an iop process for the words, through a reference that the container's file declares.
"""
# ruff: noqa: UP008

from tests.spike.dialects.pip_services import (
    DefaultJunctorFactory,
    Descriptor,
    Factory,
    Parameters,
    ProcessContainer,
    RestService,
)

EVENTS: list[str] = []


class HelloWorldController:
    __default_name = None

    def __init__(self):
        self.__default_name = "Pip User"

    def configure(self, config):
        self.__default_name = config.get_as_string_with_default("default_name", self.__default_name)

    def set_references(self, references):
        self.__echo = references.get_one_required(Descriptor("junctor", "client", "*", "echo", "1.0"))

    def open(self, correlation_id):
        EVENTS.append("open")

    def close(self, correlation_id):
        EVENTS.append("close")

    def greeting(self, name):
        answer = self.__echo.call("on_message", {"request_string": name if name is not None else self.__default_name})
        return f"Hello, {answer['my_string']} !"

    def farewell(self, name):
        return f"Bye, {name if name is not None else self.__default_name} !"


class HelloWorldRestService(RestService):
    def __init__(self):
        super(HelloWorldRestService, self).__init__()
        self._base_route = "/hello_world"
        ControllerDescriptor = Descriptor("hello-world", "controller", "*", "*", "1.0")
        self._dependency_resolver.put("controller", ControllerDescriptor)

    def set_references(self, references):
        super(HelloWorldRestService, self).set_references(references)
        self._controller = self._dependency_resolver.get_one_required("controller")

    def register(self):
        self.register_route(method="GET", route=self._route, handler=self.greeting, schema=None)

    def greeting(self, name):
        result = Parameters.from_tuples("name", self._controller.greeting(name))
        self.send_result(result)


class HelloWorldServiceFactory(Factory):
    def __init__(self):
        super(HelloWorldServiceFactory, self).__init__()
        ControllerDescriptor = Descriptor("hello-world", "controller", "default", "*", "1.0")
        HttpServiceDescriptor = Descriptor("hello-world", "service", "http", "*", "1.0")
        self.register_as_type(ControllerDescriptor, HelloWorldController)
        self.register_as_type(HttpServiceDescriptor, HelloWorldRestService)


class HelloWorldProcess(ProcessContainer):
    def __init__(self):
        super(HelloWorldProcess, self).__init__("hello-world", "HelloWorld microservice")
        self._config_path = "./config.yml"
        self._factories.add(HelloWorldServiceFactory())
        self._factories.add(DefaultJunctorFactory())
