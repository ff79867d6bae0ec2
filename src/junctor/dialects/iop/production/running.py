"""Running a production from Python: each method asks the director of its namespace."""

from __future__ import annotations

from typing import Any, NoReturn, cast

from junctor.dialects.iop.production.component import ComponentRef
from junctor.dialects.iop.production.rendered import Rendered


class Running(Rendered):
    """The part of a :class:`Production` that is about the running one.

    What changes something first looks whether the production that runs is this one.
    """

    @property
    def director(self) -> Any:
        """What the methods below ask: what was given, else the director of this machine."""
        if self._director is not None:
            return self._director
        from junctor.dialects.iop.director.local import LocalDirector

        return LocalDirector(self.namespace)

    # The whole ----------------------------------------------------------------------------------------------------

    def start(self, detach: bool = True) -> None:
        """Start it, as it was migrated.

        :param detach: in a process of its own; else with its log on standard output until Ctrl-C, which stops it.
        :raises RuntimeError: another production runs in the namespace.
        """
        other = self._running_name()
        if other and other != self.name:
            raise RuntimeError(
                f"{other} runs in namespace {self.director.namespace}: stop it before {self.name} starts"
            )
        if detach:
            self.director.start_production(self.name)
        else:
            self.director.start_production_with_log(self.name)

    def stop(self) -> None:
        """Stop it; what it is handling ends first.

        :raises RuntimeError: another production runs, or none.
        """
        self._check_runs()
        self.director.stop_production()

    def kill(self) -> None:
        """Stop it by force.

        :raises RuntimeError: another production runs, or none.
        """
        self._check_runs()
        self.director.shutdown_production()

    def restart(self) -> None:
        """Stop it and start it again.

        :raises RuntimeError: another production runs, or none.
        """
        self._check_runs()
        self.director.restart_production()

    def update(self) -> None:
        """Let the running one go over to what was migrated; only items that changed start again.

        :raises RuntimeError: another production runs, or none.
        """
        self._check_runs()
        self.director.update_production()

    def sync(self, root_path: str | None = None, update: bool = True) -> None:
        """Register it with its classes, as a migration does, and update it where it runs.

        :param root_path: the folder that the imports of its classes are relative to; that of each module by default.
        :param update: False leaves the running one as it is.
        :raises ConfigurationError: it cannot be registered; nothing has changed then.
        """
        from junctor.dialects.iop.migration import register_production

        register_production(cast(Any, self), path=root_path, namespace=self.namespace)
        if update and self._running_name() == self.name:
            self.director.update_production()

    def status(self) -> dict[str, Any]:
        """``Production``, ``Status`` and ``NeedsUpdate`` of the production that runs."""
        return dict(self.director.status_production())

    def queue(self, refresh: bool = True) -> dict[str, Any]:
        """How many messages wait for each item.

        :param refresh: False for what was asked last, where there is something.
        """
        if refresh or self._queue_info is None:
            self._queue_info = self.director.export_production_queue_info(self.name)
        return dict(self._queue_info or {})

    @property
    def queue_info(self) -> dict[str, Any]:
        """What :meth:`queue` answered last; it is asked where nothing was."""
        return self.queue(refresh=False)

    def export(self) -> dict[str, Any]:
        """The registered production, in the shape of its XML."""
        return dict(self.director.export_production(self.name))

    def set_default(self) -> None:
        """Let commands that name no production mean this one."""
        self.director.set_default_production(self.name)

    def log(self, top: int | None = None) -> None:
        """Write its log to standard output: the last ``top`` lines, or each as it comes until Ctrl-C."""
        if top is None:
            self.director.log_production()
        else:
            self.director.log_production_top(top)

    # Items --------------------------------------------------------------------------------------------------------

    def test(
        self,
        target: str | ComponentRef,
        message: Any = None,
        classname: str | None = None,
        body: Any = None,
    ) -> Any:
        """Send a request to an item, and return its reply.

        :param message: an object; or instead of it ``classname`` with ``body``, a dictionary or its JSON.
        :raises RuntimeError: another production runs, or none.
        """
        self._check_runs()
        return self.director.test_component(self.item(target).name, message, classname, body)

    test_component = test

    def inspect_component(self, item: str | ComponentRef) -> dict[str, Any]:
        """What there is to know of an item: its definition, its connections both ways, and how many messages wait."""
        ref = self.item(item)
        waiting = [one for one in self.queue().get("items", ()) if one.get("item") == ref.name]
        return {
            "item": ref.to_dict(),
            "kind": ref.kind,
            "targets": {edge.source_target_setting: edge.target for edge in self.edges if edge.source_item == ref.name},
            "sources": [edge.source_item for edge in self.edges if edge.target == ref.name],
            "queue": waiting[0] if waiting else None,
        }

    def start_component(self, item: str | ComponentRef) -> None:
        """Let an item of the running production go on."""
        self._check_runs()
        self.director.start_component(self.item(item).name)

    def stop_component(self, item: str | ComponentRef) -> None:
        """Let an item of the running production rest; its messages wait."""
        self._check_runs()
        self.director.stop_component(self.item(item).name)

    def restart_component(self, item: str | ComponentRef) -> None:
        """Stop an item of the running production and start it again."""
        self._check_runs()
        self.director.restart_component(self.item(item).name)

    def _running_name(self) -> str:
        status = self.director.status_production()
        state = str(status.get("Status", status.get("status", "")))
        runs = state.lower() in ("running", "unknown")  # others: it has ended, well or not
        return str(status.get("Production", status.get("production", ""))) if runs else ""

    def _check_runs(self) -> None:
        name = self._running_name()
        if name != self.name:
            runs = f"{name} runs" if name else "no production runs"
            raise RuntimeError(f"{self.name} does not run: {runs} in namespace {self.director.namespace}")

    # Not offered yet ----------------------------------------------------------------------------------------------

    def plan(self, other: Any = None) -> NoReturn:
        """:raises NotImplementedError: always."""
        raise _later("plan", "prod.diff() shows what would change")

    def apply(self, plan: Any = None, **options: Any) -> NoReturn:
        """:raises NotImplementedError: always."""
        raise _later("apply", "prod.sync() registers it and updates the running one")

    def verify(self, plan: Any = None) -> NoReturn:
        """:raises NotImplementedError: always."""
        raise _later("verify", "prod.diff() is empty when nothing differs")

    @staticmethod
    def rollback_backup(path: str, **options: Any) -> NoReturn:
        """:raises NotImplementedError: always."""
        raise _later("rollback_backup", "migrate the earlier settings file")

    @property
    def diff_deployable(self) -> NoReturn:
        """:raises NotImplementedError: always."""
        raise _later("diff_deployable", "prod.diff() shows what would change")

    def graph_diff(self, other: Any = None) -> NoReturn:
        """:raises NotImplementedError: always."""
        raise _later("graph_diff", "compare prod.graph() of both")


def _later(name: str, instead: str) -> NotImplementedError:
    return NotImplementedError(f"Production.{name} is not offered yet; {instead}")
