"""Data: the contracts of persistences. What keeps items in memory and in files is in ``persistence``."""

from junctor.dialects.pip_services.data.interfaces import (
    IFilteredPageReader,
    IFilteredReader,
    IGetter,
    ILoader,
    IPartialUpdater,
    IQuerablePageReader,
    IQuerableReader,
    ISaver,
    ISetter,
    IWriter,
)

__all__ = (
    "IFilteredPageReader",
    "IFilteredReader",
    "IGetter",
    "ILoader",
    "IPartialUpdater",
    "IQuerablePageReader",
    "IQuerableReader",
    "ISaver",
    "ISetter",
    "IWriter",
)
