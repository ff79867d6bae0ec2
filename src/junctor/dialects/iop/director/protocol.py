"""What a director does, whichever engine stands behind it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class DirectorProtocol(Protocol):
    """Operates the productions of one namespace. ``production`` None means the one that runs, else the default."""

    @property
    def namespace(self) -> str:
        """The namespace, ``USER``."""
        ...

    def get_default_production(self) -> str:
        """Its name, empty for none."""
        ...

    def set_default_production(self, production: str) -> None:
        """:raises ConfigurationError: there is no such production."""
        ...

    def list_productions(self) -> dict[str, dict[str, Any]]:
        """Name to ``Status``, ``LastStartTime``, ``LastStopTime`` and ``AutoStart``."""
        ...

    def status_production(self) -> dict[str, Any]:
        """``Production``, ``Status``, ``NeedsUpdate``, and ``UpdateMessage`` where it needs one."""
        ...

    def start_production(self, production: str | None = None) -> str:
        """Start it in a process of its own; its name."""
        ...

    def start_production_with_log(self, production: str | None = None) -> None:
        """The same, with its log on standard output until Ctrl-C, which stops it."""
        ...

    def stop_production(self) -> str:
        """Stop what runs; its name."""
        ...

    def shutdown_production(self) -> str:
        """End what runs, by force where it does not stop within ten seconds; its name."""
        ...

    def restart_production(self) -> str:
        """Stop what runs and start it again, in a process of its own; its name."""
        ...

    def update_production(self) -> list[str]:
        """Let what runs go over to what was migrated; what changed."""
        ...

    def start_component(self, item: str) -> None:
        """Let an item go on."""
        ...

    def stop_component(self, item: str) -> None:
        """Let an item rest; its messages wait."""
        ...

    def restart_component(self, item: str) -> None:
        """Make the instance of an item anew."""
        ...

    def list_bindings(self, unused_only: bool = False) -> list[dict[str, Any]]:
        """The registered classes, each with the items that use it."""
        ...

    def unbind_component(self, name: str) -> None:
        """Forget a registered class.

        :raises ClassInUse: an item uses it.
        """
        ...

    def log_production_top(self, top: int = 10) -> None:
        """Write the last lines of the log, oldest first."""
        ...

    def log_production(self) -> None:
        """Write what is logged from now on, until Ctrl-C."""
        ...

    def test_component(
        self,
        target: str | None,
        message: Any = None,
        classname: str | None = None,
        body: str | dict[str, Any] | None = None,
        restart: bool = True,
    ) -> Any:
        """Send a request to an item and answer its reply."""
        ...

    def export_production(self, production: str | None = None) -> dict[str, Any]:
        """The definition, in the shape of the XML of IRIS."""
        ...

    def export_production_connections(self, production: str | None = None) -> dict[str, Any]:
        """Where each item sends."""
        ...

    def export_production_queue_info(self, production: str | None = None) -> dict[str, Any]:
        """How many messages wait for each item."""
        ...

    def apply_production_plan(self, plan: Any, allow_destructive: bool = False) -> Any:
        """Not offered yet."""
        ...

    def setup(self, path: str | None = None) -> None:
        """Without effect: there is nothing to load into a database."""
        ...

    def migrate(self, path: str, strict_production_validation: bool = False) -> None:
        """Register what a settings file names."""
        ...
