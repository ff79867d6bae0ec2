"""``python -m tests.servers.install``: installs the servers that tests start, where they are missing.

Nothing happens where they are there. Without the right to install, or without apt-get, the command is told and the end
is a success: the tests that need them fail and say it again, all others run.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.servers import programs

QUIET = ("-qq", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends", "--yes")


def missing() -> list[str]:
    """The packages that are not there."""
    return sorted({program.package for program in programs.ALL if program.found() is None})


def permitted() -> list[str] | None:
    """What stands before apt-get: nothing for root, sudo for others; None where neither helps."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        return None
    return [sudo, "-n"]


def install(packages: list[str], before: list[str]) -> bool:
    """Whether all went well. The lists of packages are fetched first: a fresh container has none."""
    run = [*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    subprocess.run([*run, "-qq", "update"], check=False)  # one source of several that is away is none of our business
    return subprocess.run([*run, *QUIET, "install", *packages], check=False).returncode == 0


def main() -> None:
    packages = missing()
    if not packages:
        return
    before = permitted()
    print(f"Installing the servers of the tests: {', '.join(packages)}", flush=True)
    if before is None or not install(packages, before):
        print(f"Could not. On Debian and Ubuntu, as root: apt-get install {' '.join(packages)}")
        print("The tests that need them will fail.", flush=True)


if __name__ == "__main__":
    main()
