"""Small marks for how code of a service is entered, 14 by 14, drawn with lines."""

from __future__ import annotations

from collections.abc import Mapping

ICONS: Mapping[str, str] = {
    "schedule": '<circle cx="7" cy="7" r="5.5"/><path d="M7 4v3.2l2.2 1.4"/>',
    "route": '<circle cx="7" cy="7" r="5.5"/><path d="M1.5 7h11M7 1.5c-3.4 3.4-3.4 7.6 0 11c3.4-3.4 3.4-7.6 0-11"/>',
    "socket": '<path d="M1.5 5h10l-2.6-2.6M12.5 9h-10l2.6 2.6"/>',
    "action": '<path d="M4 2.4v9.2l7.2-4.6z"/>',
    "loop": '<path d="M12 7a5 5 0 1 1-1.6-3.7M10.8 1v2.6H8.2"/>',
    "handler": '<rect x="1.5" y="3" width="11" height="8" rx="1.5"/><path d="M2 4l5 3.7L12 4"/>',
    "event": '<path d="M2 12.2v-3M2 5.2a7 7 0 0 1 7 7M2 1.6a10.4 10.4 0 0 1 10.4 10.6"/>',
}
"""By the kind of the entry."""
