"""The quickstart of Pip.Services as its users write it; runs on either system. Run as a script."""

import os

from pip_services3_commons.config import IConfigurable
from pip_services3_commons.refer import Descriptor
from pip_services3_components.build import Factory
from pip_services3_container.ProcessContainer import ProcessContainer
from pip_services3_rpc.build import DefaultRpcFactory
from pip_services3_rpc.services import RestService

CONFIG = """
- descriptor: "pip-services:context-info:default:default:1.0"
  name: "hello-world"
  description: "HelloWorld microservice"

- descriptor: "pip-services:logger:console:default:1.0"
  level: "info"

- descriptor: "pip-services:counters:log:default:1.0"

- descriptor: "hello-world:controller:default:default:1.0"
  default_name: "World"

- descriptor: "pip-services:endpoint:http:default:1.0"
  connection:
    protocol: http
    host: 127.0.0.1
    port: {{PORT}}

- descriptor: "hello-world:service:http:default:1.0"

- descriptor: "pip-services:heartbeat-service:http:default:1.0"

- descriptor: "pip-services:status-service:http:default:1.0"
"""


class HelloWorldController(IConfigurable):
    def __init__(self):
        self.__default_name = "Pip User"

    def configure(self, config):
        self.__default_name = config.get_as_string_with_default("default_name", self.__default_name)

    def greeting(self, name):
        return f"Hello, {name if name is not None else self.__default_name} !"


class HelloWorldRestService(RestService):
    def __init__(self):
        super().__init__()
        self._base_route = "/hello_world"
        self._dependency_resolver.put("controller", Descriptor("hello-world", "controller", "*", "*", "1.0"))

    def set_references(self, references):
        super().set_references(references)
        self._controller = self._dependency_resolver.get_one_required("controller")

    def register(self):
        self.register_route("get", "/greeting", None, self.greeting)

    def greeting(self):
        return self.send_result(self._controller.greeting(self._endpoint.get_param("name")))


class HelloWorldServiceFactory(Factory):
    def __init__(self):
        super().__init__()
        self.register_as_type(Descriptor("hello-world", "controller", "default", "*", "1.0"), HelloWorldController)
        self.register_as_type(Descriptor("hello-world", "service", "http", "*", "1.0"), HelloWorldRestService)


class HelloWorldProcess(ProcessContainer):
    def __init__(self):
        super().__init__("hello-world", "HelloWorld microservice")
        self._config_path = "./config.yml"
        self._factories.add(HelloWorldServiceFactory())
        self._factories.add(DefaultRpcFactory())


if __name__ == "__main__":
    with open("config.yml", "w") as file:
        file.write(CONFIG)
    os.environ.setdefault("PORT", "8080")
    HelloWorldProcess().run()
