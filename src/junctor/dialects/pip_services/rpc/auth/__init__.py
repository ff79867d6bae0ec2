"""Who may call what: authorizers for ``register_route_with_auth``."""

from junctor.dialects.pip_services.rpc.auth.basic_authorizer import BasicAuthorizer
from junctor.dialects.pip_services.rpc.auth.owner_authorizer import OwnerAuthorizer
from junctor.dialects.pip_services.rpc.auth.role_authorizer import RoleAuthorizer

__all__ = ("BasicAuthorizer", "OwnerAuthorizer", "RoleAuthorizer")
