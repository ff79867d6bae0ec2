"""A module with marked functions, run as it is."""

from junctor import action


@action
def double(number: int) -> int:
    return 2 * number
