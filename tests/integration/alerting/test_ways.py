"""Each way out, against real servers and programs: what arrives, and what is told of those that do not answer."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from datetime import UTC, datetime
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

from junctor.flows.destinations import Command, Email, Webhook
from junctor.node.alerting.command import run
from junctor.node.alerting.mail import mail
from junctor.node.alerting.notice import Item, NotDelivered, Notice
from junctor.node.alerting.webhook import post
from tests.integration.alerting.servers import (
    Authority,
    Dripping,
    MailServer,
    Rude,
    RudeServer,
    WebServer,
    refused_port,
    served,
)

NOW = datetime(2026, 11, 20, 2, 14, tzinfo=UTC)
NOTICE = Notice(
    rule="shop/crm-away",
    way="webhook",
    to="webhook localhost",
    state="raised",
    node="shop on host",
    flow="shop",
    items=(Item("shop/crm", "held", "held with 3 messages waiting", 3, NOW, "junctor status"),),
    more=0,
    open=1,
    text="ALERT shop/crm-away at shop on host\n- shop/crm: held with 3 messages waiting\nrun: junctor status",
    command="junctor status",
    time=NOW,
)


def never() -> bool:
    return False


def undelivered(way: Any, destination: Any, seconds: float = 5.0) -> str:
    with pytest.raises(NotDelivered) as caught:
        way(destination, NOTICE, "n-7", never, seconds)
    assert "s3cr3t" not in str(caught.value) and "hunter22" not in str(caught.value)
    return str(caught.value)


# Webhook ------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_json_and_a_key() -> None:
    with served(WebServer()) as server:
        post(Webhook(url=server.url + "?x=1", headers={"Authorization": "Bearer t"}), NOTICE, "n-7", never)
    headers, body = server.taken[0]
    assert (headers["Idempotency-Key"], headers["Authorization"]) == ("n-7", "Bearer t")
    assert (body["rule"], body["state"], body["open"], body["flow"]) == ("shop/crm-away", "raised", 1, "shop")
    assert body["items"][0]["service"] == "shop/crm" and body["items"][0]["count"] == 3
    assert body["text"].endswith(f"run: {body['command']}")


@pytest.mark.parametrize("handler", [Rude, Dripping])
def test_one_that_never_answers_or_drips_is_hung_up(handler: type[Rude]) -> None:
    with served(RudeServer(handler)) as server:
        began = time.monotonic()
        text = undelivered(post, Webhook(url=f"http://127.0.0.1:{server.port}/"), 0.4)
        assert "no answer within 0.4 s" in text
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("handler", [Rude, Dripping])
def test_a_handshake_that_hangs_or_drips_is_hung_up(handler: type[Rude]) -> None:
    with served(RudeServer(handler)) as server:
        text = undelivered(post, Webhook(url=f"https://127.0.0.1:{server.port}/"), 0.4)
    assert "within 0.4 s" in text or "SSLError" in text


def test_when_the_node_stops_there_is_less_time() -> None:
    with served(RudeServer(Rude)) as server, pytest.raises(NotDelivered):
        began = time.monotonic()
        post(Webhook(url=f"http://127.0.0.1:{server.port}/"), NOTICE, "n-7", lambda: True, 50.0)
    assert time.monotonic() - began < 20


def test_answers_that_are_no_success() -> None:
    with served(WebServer()) as server:
        server.answers = [500, 302]
        text = undelivered(post, Webhook(url=server.url))
        assert "webhook localhost: it answered 500 Internal Server Error: sorry:" in text and "\x1b" not in text
        redirected = undelivered(post, Webhook(url=server.url))
    assert "a redirect to elsewhere.example, which is not followed" in redirected and "/secret" not in redirected
    assert "refused" in undelivered(post, Webhook(url=f"http://127.0.0.1:{refused_port()}/s3cr3t")).lower()


@pytest.mark.parametrize("location", ["http://[elsewhere/", "http://\x1b[31mred/", "http://\x1bc.example/"])
def test_a_redirect_to_no_address_is_told_like_any(location: str) -> None:
    with served(WebServer()) as server:
        server.answers, server.location = [302], location
        text = undelivered(post, Webhook(url=server.url))
    assert "it answered 302, a redirect" in text and "\x1b" not in text


def test_tls_is_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with served(WebServer(authority.tls)) as server:
        text = undelivered(post, Webhook(url=server.url))
        assert "its certificate is not accepted" in text and "ca: /etc/ssl/our-ca.pem" in text
        wrong = server.url.replace("localhost", "127.0.0.1")
        assert "not accepted" in undelivered(post, Webhook(url=wrong, ca=authority.file))
        assert "cannot be read" in undelivered(post, Webhook(url=server.url, ca=str(tmp_path / "none.pem")))
        assert not server.taken
        post(Webhook(url=server.url, ca=authority.file), NOTICE, "n-7", never)
    assert server.told() == ["raised"]


# Mail ---------------------------------------------------------------------------------------------------------


def email(server: str, **more: Any) -> Email:
    return Email(to_=("ops@example.com", "night@example.com"), server=server, **more)


LOGIN = {"user": "junctor@example.com", "password": "hunter22"}


def test_a_mail_over_starttls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with served(MailServer(starttls=authority.tls)) as server:
        mail(email(server.url, ca=authority.file, **LOGIN), NOTICE, "n-7", never)
    (text, secure, said), parsed = server.mails[0], message_from_string(server.mails[0][0])
    assert secure and server.logins == [("junctor@example.com", "hunter22", True)]
    assert parsed["Subject"] == "[junctor] ALERT shop/crm-away at shop on host"
    assert (parsed["From"], parsed["Message-ID"]) == ("junctor@example.com", "<n-7@example.com>")
    assert [line for line in said if line.startswith("rcpt")] == [
        "rcpt TO:<ops@example.com>",
        "rcpt TO:<night@example.com>",
    ]
    assert "run: junctor status" in text


def test_a_mail_in_tls_from_the_first_byte(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with served(MailServer(at_once=authority.tls)) as server:
        mail(email(server.url, ca=authority.file, **LOGIN), NOTICE, "n-7", never)
        assert "not accepted" in undelivered(mail, email(server.url, **LOGIN))
    assert len(server.mails) == 1 and server.mails[0][1]


def test_a_password_is_never_sent_in_clear(tmp_path: Path) -> None:
    with served(MailServer()) as server:
        assert "the server offers no TLS" in undelivered(mail, email(server.url, **LOGIN))
        assert not server.logins and not server.mails
        mail(email(server.url, sender="junctor@example.com"), NOTICE, "n-7", never)
    assert server.mails[0][1] is False
    with served(MailServer(starttls=Authority(tmp_path).tls)) as server:
        mail(email(server.url), NOTICE, "n-7", never)
    assert server.mails[0][1] is False, "without a login a relay beside the node needs no TLS that can be verified"


def test_a_mail_server_that_refuses_or_hangs(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with served(MailServer(starttls=authority.tls)) as server:
        wrong = email(server.url, ca=authority.file, user="junctor", password="h4nter22")
        assert "refused the login of junctor" in undelivered(mail, wrong)
    for rude in (Rude, Dripping):
        with served(RudeServer(rude)) as server:
            assert "within 0.4 s" in undelivered(mail, email(f"smtp://127.0.0.1:{server.port}"), 0.4)


# Command ------------------------------------------------------------------------------------------------------


def program(folder: Path, code: str) -> Command:
    file = folder / "page"
    file.write_text(f"#!{sys.executable}\n{code}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return Command(argv=(str(file), "ops; touch /tmp/no $(id)"))


def test_a_program_gets_text_and_json_and_no_shell(tmp_path: Path) -> None:
    code = (
        "import json, os, sys\n"
        "given = [sys.argv[1], sys.stdin.read(), os.environ['JUNCTOR_ALERT'], os.environ['JUNCTOR_ALERT_KEY']]\n"
        f"json.dump(given, open({str(tmp_path / 'out')!r}, 'w'))"
    )
    run(program(tmp_path, code), NOTICE, "n-7", never)
    argument, text, alert, key = json.loads((tmp_path / "out").read_text())
    assert (argument, key) == ("ops; touch /tmp/no $(id)", "n-7")
    assert text.strip() == NOTICE.text
    assert json.loads(alert)["rule"] == "shop/crm-away"


def test_programs_that_fail(tmp_path: Path) -> None:
    failing = program(tmp_path, "import sys; sys.stderr.write('x' * 100000 + ' no\\x1b network'); sys.exit(3)")
    text = undelivered(run, failing)
    assert "command page: it ended with code 3: xxx" in text and text.count("x") < 400 and "network" in text
    assert "cannot be started: No such file" in undelivered(run, Command(argv=("/nowhere/page",)))


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    assert "it did not end within 1 s and was killed" in undelivered(run, program(tmp_path, code), 1.0)
    child = int(pid.read_text())
    for _ in range(200):
        try:
            if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
                return
            os.kill(child, 0)
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.01)
    raise AssertionError("a child of the program lives on")
