"""The same action on the development server of Werkzeug, one request at a time. Run as a script."""

import logging
import os

from werkzeug.serving import run_simple
from werkzeug.wrappers import Request, Response

ACTIONS = {"/action": lambda data: data}


@Request.application
def application(request):
    return Response(ACTIONS[request.path](request.data))


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    run_simple("localhost", int(os.environ["PORT"]), application)
