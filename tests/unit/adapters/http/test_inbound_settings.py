"""What does not fit together in the settings of http-in."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.adapters import HttpIn
from junctor.errors import ConfigurationError
from junctor.services import spec_of


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"path": "hook"}, "is not a path"),
        ({"path": "/a/{b}"}, "it has parameters, which nobody would read"),
        ({"path": "/a b"}, "is not a path"),
        ({"methods": ["TRACE"]}, '"TRACE" is not taken'),
        ({"signature": "github"}, "a signature needs a secret"),
        ({"signature": "github", "secrets": [""]}, "one of them is empty"),
        ({"secrets": ["hush"]}, "nothing is signed with them"),
        ({"signature": "gitlab", "secrets": ["hush"]}, "gitlab"),
        ({"once_by": "id"}, "id"),
        ({"once_by": "response.id"}, 'there is no "response" here'),
        ({"key": "topic"}, 'there is no "topic" here'),
        ({"answer": "{message.id} {topic}"}, 'there is no "topic" here'),
        ({"reply": True, "answer": "x"}, "the receiver makes the answer"),
        ({"reply": True, "once_by": "body.id"}, "is not known by a key"),
        ({"status": 404}, "above the maximum of 299"),
        ({"limit": 0}, "is not above 0"),
    ],
)
def test_they_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HttpIn(**{"path": "/hook", **settings})
    assert told in str(caught.value)


def test_secrets_do_not_show() -> None:
    made = HttpIn(path="/hook", signature="github", secrets=["hush-hush"])
    assert "hush" not in repr(made) + repr(spec_of(made).settings)
