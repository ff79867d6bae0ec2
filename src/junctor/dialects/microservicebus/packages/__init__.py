"""What ``AddPipPackage`` does: packages from an index, installed while a service runs, into a folder of its flow."""

from junctor.dialects.microservicebus.packages.adding import Packages
from junctor.dialects.microservicebus.packages.errors import IndexAway, PackageError
from junctor.dialects.microservicebus.packages.folder import Folder
from junctor.dialects.microservicebus.packages.rules import PackageRules

__all__ = ("Folder", "IndexAway", "PackageError", "PackageRules", "Packages")
