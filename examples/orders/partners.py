"""The partners of the example, each a process of its own that can be killed and started again:

    python partners.py postgresql | mosquitto | customers

They listen on 127.0.0.1 only and keep what they have in the folder partners/ beside this file. PostgreSQL and Mosquitto
are those of the machine (``apt-get install postgresql mosquitto``).
"""

import glob
import json
import os
import pwd
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

PARTNERS = Path(__file__).resolve().parent / "partners"
POSTGRESQL_PORT = 22432
MQTT_PORT = 22883
CUSTOMERS_PORT = 22080

# Debian has servers outside the PATH of users.
PLACES = [*sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True), "/usr/local/sbin", "/usr/sbin"]

TABLE = """
CREATE TABLE orders (
    id text PRIMARY KEY, customer text NOT NULL, country text NOT NULL,
    item text NOT NULL, count integer NOT NULL, total numeric NOT NULL
);
"""
# What a broker has acknowledged it must not forget when it is killed.
BROKER = f"""
listener {MQTT_PORT} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {PARTNERS}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
max_inflight_messages 0
"""
CUSTOMERS = {
    "anna": {"name": "Anna Berg", "country": "se"},
    "bert": {"name": "Bert Vos", "country": "nl"},
    "chen": {"name": "Chen Li", "country": "sg"},
}


def program(name: str) -> str:
    """Where it is."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES]))
    return path or sys.exit(f"{name} is not installed: apt-get install postgresql mosquitto")


def postgresql() -> None:
    """A database of the user ``shop``, with an empty table."""
    data, first = PARTNERS / "postgresql", as_user()
    command = [*first, program("postgres"), "-D", str(data)]
    if not data.exists():
        data.mkdir()
        if first:
            shutil.chown(data, "postgres")
        options = ["-U", "shop", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run([*first, program("initdb"), "-D", data, *options], check=True)
        subprocess.run([*command[:-2], "--single", "-j", *command[-2:], "postgres"], input=TABLE.encode(), check=True)
    run([*command, "-p", str(POSTGRESQL_PORT), "-h", "127.0.0.1", "-k", ""])


def as_user() -> list[str]:
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        sys.exit("PostgreSQL does not run as root, and there is no user postgres. Run this as another user.")
    return [program("setpriv"), "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]


def mosquitto() -> None:
    """A broker that takes everybody."""
    file = PARTNERS / "mosquitto.conf"
    file.write_text(BROKER + ("user root\n" if os.geteuid() == 0 else ""))
    run([program("mosquitto"), "-c", str(file)])


def run(command: list[str]) -> None:
    """Become this program, so that a kill hits it and nothing else."""
    os.execv(command[0], command)


class Customers(BaseHTTPRequestHandler):
    """Tells who a customer is: ``GET /customers/anna``."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two packets; the second would wait 40 ms

    def do_GET(self) -> None:
        known = CUSTOMERS.get(unquote(self.path.removeprefix("/customers/")))
        body = json.dumps(known or {"error": "there is no such customer"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def customers() -> None:
    """The service that knows all customers."""
    with ThreadingHTTPServer(("127.0.0.1", CUSTOMERS_PORT), Customers) as server:
        server.serve_forever()


if __name__ == "__main__":
    known = {"postgresql": postgresql, "mosquitto": mosquitto, "customers": customers}
    if len(sys.argv) != 2 or sys.argv[1] not in known:
        sys.exit(str(__doc__))
    PARTNERS.mkdir(exist_ok=True)
    known[sys.argv[1]]()
