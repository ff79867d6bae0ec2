"""A Flask application in a process of its own: `flask --app front run`."""

from flask import Flask, request
from iop import Director

app = Flask(__name__)
director = Director()


@app.post("/quotes/<style>")
def quote(style):
    desk = director.get_business_service("Desk")
    return desk.on_process_input({**request.json, "style": style})
