"""Productions, as programs compose them."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.production.running import Running


class Production(Running):
    """A production, composed step by step or declared as a class::

        prod = Production("Demo.Production")
        orders = prod.service("Orders", OrderService)
        store = prod.operation("Store", StoreOperation, pool_size=2)
        prod.connect(orders.Output, store)

        class Demo(Production):
            name = "Demo.Production"
            services = (ServiceItem("Orders", OrderService, routes=[Route("Output", "Store")]),)
            operations = (OperationItem("Store", StoreOperation, pool_size=2),)

    An argument that is not given has the value of the class attribute of the same name.

    :param name: as in IRIS, with dots; the name of the class where that declares none.
    :param testing_enabled: whether ``test()`` and ``iop --test`` may send messages.
    :param log_general_trace_events: record the trace lines of the production itself.
    :param actor_pool_size: how many messages the processes with pool size 0 handle at once, together.
    :param shutdown_timeout: seconds that a stop waits for what is being handled.
    :param update_timeout: seconds that an update waits for what is being handled.
    :param alert_notification_manager: item that alerts go to first, as in IRIS.
    :param alert_notification_operation: item that tells people.
    :param alert_notification_recipients: whom it tells, with commas between them.
    :param alert_action_window: minutes in which an alert is to be seen to.
    :param namespace: the namespace that the methods which run it mean.
    :param director: what those methods ask, in place of the node of the namespace.
    :raises ValueError: there is no name, or two items have the same.
    :raises TypeError: an item is of the wrong kind.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not any(base.name for base in cls.__mro__ if issubclass(base, Production)):
            cls.name = cls.__name__
