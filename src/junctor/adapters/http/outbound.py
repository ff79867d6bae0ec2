"""Requests to an HTTP service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from junctor.adapters.http.call import Call, Caller
from junctor.adapters.http.failed import HttpCallFailed
from junctor.adapters.http.outbound_settings import HttpOutSettings
from junctor.adapters.http.trust import trust
from junctor.adapters.http.url import Url
from junctor.adapters.http.verdict import retry_after, verdict
from junctor.adapters.rate import Pace
from junctor.adapters.records import filled, reader_of
from junctor.core.expressions import Template, of_message
from junctor.messages import Kind
from junctor.observe.secrets import MASKED, SHORTEST
from junctor.services import Target, handler

if TYPE_CHECKING:
    from junctor.adapters.http.answer import Answer
    from junctor.adapters.http.client import Client
    from junctor.adapters.http.credentials import Credentials

_COUNTED = [f"{first}xx" for first in range(10)]

_TELLING = re.compile("auth|cookie|key|secret|token|sign", re.IGNORECASE)
"""Headers and parameters whose value is masked where the other side repeats it."""


class HttpOut(HttpOutSettings):
    """Makes a request of each message.

    The answer is the reply of a request, and goes to ``out`` where that is connected. Its status says what becomes of
    the message: 2xx is done; 401, 429, 502, 503 and 504 hold the service, as do connections that fail; 408, 425 and
    other 5xx are tried again; the rest is parked. ``Retry-After`` is obeyed. Each attempt carries the same
    ``Idempotency-Key``, also after a kill::

        crm:
          adapter: http-out
          settings:
            url: "https://crm.example/customers/{body.customer}"
            method: GET
            bearer: ${secret:CRM_TOKEN}
            response: {customer: response.json.name, order: body.id}
          connect: {out: mails}
          pool: 4
    """

    _last = "not called yet"
    _client: Client | None = None

    def on_start(self) -> None:
        import junctor.adapters.http.client  # noqa: F401 - the library takes a while, here in a thread

        open_url = Url(self.url) if self.path else None
        self._caller = Caller(
            self.method, self.made_url(), open_url, self.query, self.headers, self.content, self.fields, self.text
        )
        self._pace = Pace(self.rate) if self.rate is not None else None
        self._trusted = trust(self.ca, self.certificate, self.key_file) if self.ca or self.certificate else True
        self._credentials = self._made_credentials()
        self._hidden = self._secrets()

    async def on_stop(self) -> None:
        if self._client is not None:
            await self._client.close()

    def remark(self) -> str:
        """Beside its state in ``junctor status``."""
        return f"{Url(self.url).origin}: {self._last}"

    @handler
    async def call(self, body: Any) -> Any:
        """Make the request for a body."""
        message = self.message
        call = self._caller.call(of_message(message, body), body)
        if self.key_header:
            call.headers[self.key_header] = message.effect
        if self._pace is not None and (wait := self._pace.wait(self._seconds())) > 0:
            await self.sleep(wait)
        answer = await self._answered(call)
        self._last = answer.said
        self.count(_COUNTED[answer.status // 100])
        self._judge(call, answer)
        result = self._result(body, call, answer)
        return result if self.out is None else await self._passed_on(self.out, result)

    async def _answered(self, call: Call) -> Answer:
        """The answer; with new credentials where the old ones are known no longer, and that once."""
        answer, authorization = await self._asked(call)
        if answer.status == 401 and self._credentials.refused(authorization):
            answer, _ = await self._asked(call)
        return answer

    async def _asked(self, call: Call) -> tuple[Answer, str]:
        authorization = await self._credentials.authorization()
        if authorization:
            call.headers["Authorization"] = authorization
        return await (self._client or self._opened()).answer(call), authorization

    def _opened(self) -> Client:
        """The pool of connections, made on the loop that it is for."""
        from junctor.adapters.http.client import Client

        if self._client is None:
            self._client = Client(
                self._trusted,
                timeout=self.timeout,
                connect_timeout=self.connect_timeout,
                limit=self.limit,
                redirects=self.redirects,
            )
        return self._client

    def _judge(self, call: Call, answer: Answer) -> None:
        """:raises HttpCallFailed: the message is not done with this answer."""
        end = verdict(answer.status, self.on)
        if end == "done":
            return
        said = self._masked(answer.begin)
        what = f"it answered {answer.said}" + (f": {said}" if said else "")
        delay = retry_after(answer.headers.get("Retry-After", ""), self.now(), self.longest_wait)
        raise HttpCallFailed(what, where=call.named, answered=answer.status, reaction=end, delay=delay)

    def _result(self, body: Any, call: Call, answer: Answer) -> Any:
        """What is replied and sent on."""
        read = answer.read(self.answer, call.named)
        if not self.response:
            return read
        seen = answer.variables(read if answer.holds_json(self.answer) else None)
        return filled(self.response, of_message(self.message, body, response=seen))

    async def _passed_on(self, out: Target[Any], result: Any) -> Any:
        read = reader_of(out, self.type)(result)
        if self.message.kind is Kind.REQUEST:
            return await out.request(read)
        return await out.send(read)

    def _made_credentials(self) -> Credentials:
        from junctor.adapters.http.credentials import Fixed, Tokens

        if self.user:
            return Fixed.basic(self.user, self.password)
        if self.bearer:
            return Fixed.bearer(self.bearer)
        if not self.token_url:
            return Fixed()
        return Tokens(
            lambda call: self._opened().answer(call),
            self._seconds,
            url=self.token_url,
            client=self.client_id,
            secret=self.client_secret,
            scope=self.scope,
            in_header=self.client_in == "header",
        )

    def _secrets(self) -> list[str]:
        """Values of headers and parameters that are likely secret, whatever they came from; what follows the URL."""
        tables = (*self.headers.items(), *self.query.items())
        values = [one.constant or "" for name, one in tables if _TELLING.search(name)]
        values += [part.strip("/") for part in Template(self.path).parts if isinstance(part, str)]
        return [value for value in values if len(value) >= SHORTEST]

    def _masked(self, text: str) -> str:
        """What the other side says, without the secrets that it repeats."""
        for secret in self._hidden:
            text = text.replace(secret, MASKED)
        return self._credentials.masked(text)

    def _seconds(self) -> float:
        return self.now().timestamp()
