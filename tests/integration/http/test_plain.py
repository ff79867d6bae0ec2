"""Without httptools and uvloop: the same tests of the listener, in a process where neither can be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WITHOUT = (
    "import sys\nsys.modules['httptools'] = sys.modules['uvloop'] = None\n"
    "import pytest\nsys.exit(pytest.main(sys.argv[1:]))"
)
PAGES = ("test_limits.py", "test_requests.py", "test_listener.py")


@pytest.mark.timeout(260)
def test_the_listener_keeps_its_limits_in_plain_python() -> None:
    words = [sys.executable, "-c", WITHOUT, "-q", "-p", "no:cacheprovider", *(str(HERE / page) for page in PAGES)]
    done = subprocess.run(words, cwd=HERE.parents[2], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_it_is_the_plain_protocol_that_was_tested() -> None:
    code = (
        "import sys\nsys.modules['httptools'] = None\n"
        "from junctor.http.listening.listener import _protocol\nfrom junctor.http.listening.limits import Limits\n"
        "print(_protocol(Limits()).__mro__[1].__name__)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert said.stdout.strip() == "PlainProtocol", said.stderr
