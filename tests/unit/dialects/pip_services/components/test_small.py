"""Caches, locks, state, connections, credentials."""

from __future__ import annotations

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException, ConflictException
from junctor.dialects.pip_services.commons.refer import Descriptor, ReferenceException, References
from junctor.dialects.pip_services.components import Component
from junctor.dialects.pip_services.components.auth import CredentialResolver, MemoryCredentialStore
from junctor.dialects.pip_services.components.cache import CacheEntry, MemoryCache, NullCache
from junctor.dialects.pip_services.components.connect import (
    CompositeConnectionResolver,
    ConnectionParams,
    ConnectionResolver,
    ConnectionUtils,
    MemoryDiscovery,
)
from junctor.dialects.pip_services.components.info import ContextInfo
from junctor.dialects.pip_services.components.lock import MemoryLock, NullLock
from junctor.dialects.pip_services.components.state import MemoryStateStore, NullStateStore


def test_a_cache_forgets_what_is_over_and_what_is_too_much() -> None:
    cache = MemoryCache()
    cache.configure(ConfigParams.from_tuples("options.max_size", 2))
    cache.store(None, "short", 1, 1000)
    cache.store(None, "a", 2, 60_000)
    cache.store(None, "b", 3, 60_000)
    assert [cache.retrieve(None, key) for key in ("short", "a", "b")] == [None, 2, 3]
    cache.store(None, "a", None)
    cache.remove(None, "b")
    assert cache.retrieve(None, "a") is None
    assert CacheEntry("a", 1, -1).is_expired()
    assert NullCache().store(None, "a", 1) == 1 and NullCache().retrieve(None, "a") is None


def test_a_lock_is_free_after_its_time() -> None:
    lock = MemoryLock()
    assert lock.try_acquire_lock(None, "a", 60_000)
    assert not lock.try_acquire_lock(None, "a", 60_000)
    with pytest.raises(ConflictException, match="a failed on timeout") as caught:
        lock.acquire_lock(None, "a", 1, 0)
    assert caught.value.code == "LOCK_TIMEOUT"
    lock.release_lock(None, "a")
    lock.acquire_lock(None, "a", 0, 0)
    assert lock.try_acquire_lock(None, "a", 1), "it was for no time at all"
    assert NullLock().try_acquire_lock(None, "a", 1)


def test_state_is_kept_and_taken_out() -> None:
    store = MemoryStateStore()
    store.save(None, "a", {"n": 1})
    assert [(one.key, one.value) for one in store.load_bulk(None, ["a", "b"])] == [("a", {"n": 1}), ("b", None)]
    assert store.delete(None, "a") == {"n": 1} and store.delete(None, "a") is None
    assert NullStateStore().load(None, "a") is None


def test_context_information_of_a_configuration() -> None:
    made = ContextInfo.from_config(ConfigParams.from_tuples("name", "shop", "properties.a", 1))
    assert (made.name, made.properties, ContextInfo().name) == ("shop", {"a": "1"}, "unknown")
    assert 0 <= made.uptime < 60_000


def test_connections_come_from_the_configuration_or_from_discovery() -> None:
    resolver = ConnectionResolver(
        ConfigParams.from_tuples("connection.host", "a", "connection.port", 1, "connections.0.discovery_key", "db")
    )
    with pytest.raises(ReferenceException):
        resolver.resolve_all(None)
    discovery = MemoryDiscovery(ConfigParams.from_tuples("db.host", "b", "web", "host=c;port=3"))
    resolver.set_references(References.from_tuples(Descriptor("x", "discovery", "m", "d", "1.0"), discovery))
    assert [one.get_host() for one in resolver.resolve_all(None)] == ["a", "b"]
    first = resolver.resolve(None)
    assert first is not None and first.get_port() == 1
    assert discovery.resolve_all(None, "web") == [{"host": "c", "port": "3"}]
    resolver.register(None, ConnectionParams.from_tuples("discovery_key", "new", "host", "d"))
    assert len(discovery.resolve_all(None, "new")) == 1
    lost = ConnectionResolver(ConfigParams.from_tuples("connection.discovery_key", "nobody"))
    lost.set_references(References.from_tuples(Descriptor("x", "discovery", "m", "d", "1.0"), discovery))
    with pytest.raises(ConfigException, match="nobody"):
        lost.resolve(None)


def test_credentials_come_from_the_configuration_or_from_a_store() -> None:
    resolver = CredentialResolver(ConfigParams.from_tuples("credential.store_key", "db"))
    store = MemoryCredentialStore(ConfigParams.from_tuples("db.user", "u", "db.pass", "p"))
    with pytest.raises(ReferenceException):
        resolver.lookup(None)
    resolver.set_references(References.from_tuples(Descriptor("x", "credential-store", "m", "d", "1.0"), store))
    found = resolver.lookup(None)
    assert found is not None and (found.get_username(), found.get_password()) == ("u", "p")
    store.store(None, "db", None)
    with pytest.raises(ConfigException, match="db"):
        resolver.lookup(None)
    assert CredentialResolver(ConfigParams()).lookup(None) is None


def test_uris_are_taken_apart_and_put_together() -> None:
    uri = "mongodb://me:p%40ss@a:1,b:2/shop?w=1"
    parts = ConnectionUtils.parse_uri(uri)
    assert parts == {
        "protocol": "mongodb",
        "username": "me",
        "password": "p@ss",
        "path": "shop",
        "servers": "a:1,b:2",
        "w": "1",
    }
    assert ConnectionUtils.compose_uri(parts) == uri
    assert ConnectionUtils.parse_uri("localhost", "tcp", 5) == {"protocol": "tcp", "host": "localhost", "port": "5"}
    assert ConnectionUtils.include(parts, "path") == {"path": "shop"}
    both = ConnectionUtils.concat(ConfigParams.from_tuples("host", "a"), ConfigParams.from_tuples("host", "b"))
    assert both == {"host": "a,b"}


def test_a_resolver_of_brokers_checks_its_connections() -> None:
    resolver = CompositeConnectionResolver()
    resolver._supported_protocols, resolver._default_protocol = ["tcp"], "tcp"
    resolver.configure(ConfigParams.from_tuples("connection.host", "a", "connection.port", 1, "options.x", 2))
    assert resolver.resolve(None) == {"host": "a", "port": "1", "x": "2"}
    for written, code in (("http", "UNSUPPORTED_PROTOCOL"), ("tcp", "NO_HOST")):
        wrong = CompositeConnectionResolver()
        wrong._supported_protocols = ["tcp"]
        wrong.configure(ConfigParams.from_tuples("connection.protocol", written))
        with pytest.raises(ConfigException) as caught:
            wrong.resolve(None)
        assert caught.value.code == code


def test_a_component_has_what_its_container_has() -> None:
    references = References()
    component = Component()
    component.configure(ConfigParams.from_tuples("dependencies.store", "a:b:*:*:*"))
    component.set_references(references)
    with pytest.raises(ReferenceException):
        component._dependency_resolver.get_one_required("store")
