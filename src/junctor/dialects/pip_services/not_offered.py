"""Packages of the family that programs import when they load, though they may never use them.

Their classes can be imported and inherited here; to make an instance says what is not offered and what to do. A package
that is installed is always preferred to what stands for it here.
"""

from __future__ import annotations

from typing import Any, NoReturn

from junctor.dialects.pip_services.commons.errors import UnsupportedException

# By package and part of it: classes that have no place here, and what to use instead.
NOT_OFFERED: dict[str, tuple[str, ...]] = {
    "pip_services3_mongodb.build": ("DefaultMongoDbFactory",),
    "pip_services3_mongodb.connect": ("MongoDbConnection", "MongoDbConnectionResolver"),
    "pip_services3_mongodb.persistence": ("IdentifiableMongoDbPersistence", "MongoDbIndex", "MongoDbPersistence"),
}
_INSTEAD = {
    "pip_services3_mongodb": "Use a persistence in memory or in a file (pip_services3_data.persistence), or install "
    "the package itself: pip install --no-deps pip_services3_mongodb && pip install pymongo",
}


class NotOffered:
    """A class that is only there to be imported."""

    _package = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """
        :raises UnsupportedException: always; its code is ``NOT_OFFERED``.
        """
        name = next(base.__name__ for base in cls.__mro__ if "_package" in vars(base))
        message = f"{name} of {cls._package} is not offered here. {_INSTEAD[cls._package]}"
        error = UnsupportedException(None, "NOT_OFFERED", message)
        raise error.with_details("class", name).with_details("package", cls._package)


def classes_of(part: str) -> dict[str, type]:
    """What stands for the classes of a part of such a package.

    :raises KeyError: the part is not known.
    """
    package = part.partition(".")[0]
    return {name: type(name, (NotOffered,), {"_package": package, "__module__": part}) for name in NOT_OFFERED[part]}
