from pip_services3_commons.refer.Descriptor import Descriptor
from pip_services3_components.build.Factory import Factory

from ..count.TextFileCounters import TextFileCounters


class DefaultTextFileFactory(Factory):
    def __init__(self):
        super().__init__()
        self.register_as_type(Descriptor("pip-services", "counters", "textfile", "*", "1.0"), TextFileCounters)
