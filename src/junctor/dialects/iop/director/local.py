"""The director of the productions on this machine."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from junctor.core.spec import service_name
from junctor.dialects.iop.definition import ProductionDefinition
from junctor.dialects.iop.director import bindings, ending, overview, running, trial
from junctor.dialects.iop.director.log import EventLog
from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.migration.registry import Registry, namespace_of
from junctor.errors import ConfigurationError, nearest


class LocalDirector:
    """Operates productions through the registry of their namespace and the control sockets of their nodes; see
    :class:`~junctor.dialects.iop.director.protocol.DirectorProtocol` for its methods.

    :param namespace: ``$IOP_NAMESPACE``, ``$IRISNAMESPACE`` or USER by default.
    :param home: where registries and data are kept; ``$IOP_HOME`` or ``./.junctor`` by default.
    """

    def __init__(self, namespace: str | None = None, home: Path | None = None) -> None:
        self._namespace = namespace
        self._home = home

    @property
    def namespace(self) -> str:
        """The namespace, ``USER``."""
        return namespace_of(self._namespace)

    @property
    def place(self) -> Namespace:
        """The namespace with its folders, as the environment says now."""
        return Namespace(self._namespace, self._home)

    # Which one --------------------------------------------------------------------------------------------------

    def get_default_production(self) -> str:
        return self.place.registry().default

    def set_default_production(self, production: str) -> None:
        """:raises ConfigurationError: there is no such production."""
        place = self.place
        with Registry.change(place.name, place.home) as registry:
            registry.default = registry.production(production).name if production else ""

    def list_productions(self) -> dict[str, dict[str, Any]]:
        return overview.listed(self.place)

    def status_production(self) -> dict[str, Any]:
        return overview.status(self.place)

    # Start and stop ---------------------------------------------------------------------------------------------

    def start_production(self, production: str | None = None) -> str:
        """:raises ProductionRuns: one runs already. :raises StartFailed: it did not come up."""
        place = self.place
        name = place.meant(production, running=False).name
        running.start_beside(place, name)
        return name

    def start_production_with_log(self, production: str | None = None) -> None:
        name = self.start_production(production)
        with contextlib.suppress(KeyboardInterrupt):
            self._stream(self.place.registry().production(name))
        self.stop_production()

    def stop_production(self) -> str:
        """:raises NoProduction: none runs."""
        return ending.stop(self.place)

    def shutdown_production(self) -> str:
        """:raises NoProduction: none runs."""
        return ending.kill(self.place)

    def restart_production(self) -> str:
        """:raises NoProduction: none runs. :raises ConfigurationError: what was migrated cannot run; nothing has
        changed."""
        overview.check(self.place)
        name = self.stop_production()
        return self.start_production(name)

    def update_production(self) -> list[str]:
        """:raises ConfigurationError: what was migrated cannot run; nothing has changed then."""
        return overview.update(self.place)

    # Items ------------------------------------------------------------------------------------------------------

    def start_component(self, item: str) -> None:
        self._ask_of("resume", item)

    def stop_component(self, item: str) -> None:
        self._ask_of("pause", item, reason="the item was stopped")

    def restart_component(self, item: str) -> None:
        self._ask_of("restart", item)

    def _ask_of(self, operation: str, item: str, **more: Any) -> None:
        name, client = self.place.client()
        with contextlib.closing(client):
            items = [one.name for one in self.place.registry().production(name).items]
            if item not in items:
                fix = nearest(item, items).rstrip() or None
                raise ConfigurationError(f"the production has no item {item}", where=name, fix=fix)
            client.ask(operation, service=service_name(item), **more)

    def test_component(
        self,
        target: str | None,
        message: Any = None,
        classname: str | None = None,
        body: str | dict[str, Any] | None = None,
        restart: bool = True,
    ) -> Any:
        """The reply: a message of its class where this process has imported that.

        :param restart: without effect. Elsewhere it loads code that changed; here that is what an update does.
        """
        from junctor.dialects.iop.director.afar import received

        reply = trial.tried(self.place, target, message, classname, body)
        return received(reply.type, bytes(reply.body))

    # Bindings ---------------------------------------------------------------------------------------------------

    def list_bindings(self, unused_only: bool = False) -> list[dict[str, Any]]:
        return bindings.bindings(self.place, unused_only)

    def unbind_component(self, name: str) -> None:
        """:raises ClassInUse: an item uses it."""
        bindings.unbind(self.place, name)

    # The log ----------------------------------------------------------------------------------------------------

    def log_production_top(self, top: int = 10) -> None:
        for row in self._log(self.place.meant()).last(top):
            sys.stdout.write(f"{row}\n")

    def log_production(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            self._stream(self.place.meant())

    def _stream(self, production: ProductionDefinition) -> None:
        for row in self._log(production).stream():
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()

    def _log(self, production: ProductionDefinition) -> EventLog:
        return EventLog(self.place.directory(production.name), production)

    # Definitions ------------------------------------------------------------------------------------------------

    def export_production(self, production: str | None = None) -> dict[str, Any]:
        from junctor.dialects.iop.production.shape import to_shape

        return to_shape(self.place.meant(production))

    def export_production_connections(self, production: str | None = None) -> dict[str, Any]:
        from junctor.dialects.iop.director.connected import connections_of

        return connections_of(self.place, production)

    def export_production_queue_info(self, production: str | None = None) -> dict[str, Any]:
        return overview.queues(self.place, production)

    def apply_production_plan(self, plan: Any, allow_destructive: bool = False) -> Any:
        """:raises NotImplementedError: always."""
        raise NotImplementedError("a plan of changes is not offered yet; migrate the settings file, then: iop --update")

    def setup(self, path: str | None = None) -> None:
        """Without effect: there is nothing to load into a database."""

    def migrate(self, path: str, strict_production_validation: bool = False) -> None:
        """:raises ConfigurationError: something in the file is wrong; nothing is registered then."""
        from junctor.dialects.iop.migration import migrate

        migrate(path, namespace=self._namespace, home=self._home, strict=strict_production_validation)
