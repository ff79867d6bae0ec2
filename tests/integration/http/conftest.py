"""A listener on a free port, with housekeeping under a real supervisor."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from junctor.http.app import Site
from junctor.http.listening.limits import Limits
from junctor.http.listening.listener import Listener
from junctor.http.pages.docs import open_docs
from junctor.http.pages.health import open_health
from junctor.http.pages.index import open_index
from junctor.http.pages.metrics import open_metrics
from junctor.http.pages.openapi import open_openapi
from junctor.http.settings import HttpSettings, Tls
from junctor.runtime.supervisor import Supervisor
from tests.integration.http.small_host import SmallHost, node_of

Serve = Callable[..., AbstractAsyncContextManager[Listener]]


@pytest.fixture
def serve() -> Serve:
    """``async with serve(host, ...) as listener``: the hosts behind a listener with all built-in parts."""

    @contextlib.asynccontextmanager
    async def serving(
        *hosts: SmallHost,
        limits: Limits | None = None,
        node: Any = None,
        host: str = "127.0.0.1",
        settings: HttpSettings | None = None,
        tls: Tls | None = None,
        **options: Any,
    ) -> AsyncIterator[Listener]:
        site = Site(**options)
        node = node or node_of(*hosts)
        open_health(site.routes, node)
        open_metrics(site.routes, node, lambda: site.requests, name="n1")
        open_index(site.routes, node)
        open_openapi(site.routes, title="lab", version="1")
        open_docs(site.routes)
        for one in hosts:
            site.attach(one, settings or HttpSettings())
        supervisor = Supervisor()
        listener = Listener(
            site, spawn=supervisor.start, host=host, limits=limits, tls=tls, sockets=bool(site.routes.sockets)
        )
        await listener.start()
        try:
            yield listener
        finally:
            await listener.stop(1.0)
            await supervisor.aclose()

    return serving
