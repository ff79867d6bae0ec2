"""A container that is a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.components.log import ConsoleLogger
from junctor.dialects.pip_services.container.command_line import HELP, CommandLine, read_command_line
from junctor.dialects.pip_services.container.container import Container
from junctor.dialects.pip_services.container.place import found_config


class ProcessContainer(Container):
    """Runs until Ctrl-C or SIGTERM. Its configuration is in a file: ``./config/config.yml``, or what ``_config_path``
    says, or ``-c`` on the command line. Variables of the file come from ``-p NAME=VALUE`` and, before them, from the
    environment.
    """

    def __init__(self, name: str | None = None, description: str | None = None) -> None:
        super().__init__(name, description)
        self._logger = ConsoleLogger()
        self._config_path = "./config/config.yml"

    def read_config(self, line: CommandLine | None = None) -> None:
        """Read the file as the command line says.

        :raises ConfigException: a component has neither a descriptor nor a type.
        :raises FileException: the file is not there, or cannot be read.
        """
        line = line or CommandLine()
        path, note = found_config(line.config or self._config_path, type(self), elsewhere=not line.config)
        if note:
            self._remark(self.name, note)
        parameters = ConfigParams(line.parameters).override(os.environ)
        self.read_config_from_file(self.name, path, parameters)

    def run(self, args: Sequence[str] | None = None) -> None:
        """Run until the process is asked to stop. Ends the program with exit code 78 (the configuration) or 70
        (anything else) where it cannot start; the reason is in the log.

        :param args: the command line; by default that of the program.
        """
        line = read_command_line(sys.argv[1:] if args is None else args)
        if line.help:
            sys.stdout.write(f"{HELP}\n")
            return
        from junctor.dialects.pip_services.hosting.running import run

        code = run(self, line)
        if code:
            raise SystemExit(code)
