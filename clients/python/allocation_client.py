"""For a gateway in Python: publishes workload windows, and keeps the allocation in force at hand. Copy it.

For the broker it needs pika.
"""
import collections
import json
import logging
import urllib.error
import urllib.parse
import urllib.request
import uuid

MAX_BYTES = 262_144
MOST_WAITING = 2_000
# 401, 403 and 404 refuse the sender, who may be put right; the others pass by themselves.
NOT_OF_THE_WINDOW = (401, 403, 404, 408, 429)

log = logging.getLogger(__name__)


class RefusedWindow(Exception):
    """The platform will never take the window: it is to be set aside, not sent again."""


class AllocationClient:
    def __init__(self, api, key, broker=None, on_refused=None):
        """api: the platform's address. key: one that may read; without a broker it must be one that may ingest, too.

        broker: amqp://USER:PASSWORD@HOST/ingress, where USER is the tenant; without it windows go over HTTP.
        on_refused: is given each window that was set aside, and the reason.
        """
        self.api, self.key, self.broker, self.on_refused = api, key, broker, on_refused
        self.channel, self.held = None, {}
        self.tenant = urllib.parse.unquote(urllib.parse.urlsplit(broker).username) if broker else None
        self.waiting = collections.deque()
        # Windows that report() has sent, that were refused, that were given up as too many waited; why sending failed last.
        self.sent, self.refused, self.given_up, self.fault = 0, 0, 0, None

    def report(self, window):
        """Sends a window after those that wait; of one thread at a time.

        What the platform refuses is set aside, and the next is sent; while it is away, windows wait for the next call
        under the id that they have. Never raises for what the platform or the network does.

        A window goes as it is. Its "service" may have "answerTokens", the sum of output tokens beside the reasoning
        ones. Servers that batch are learnt better with it. Leave it out unless each query of the sums tells it.

        Of the same servers "service" may have "concurrency", {"tokens", "inService"}: output tokens that were looked
        at, and the sum of the queries that the server had in service when they were made.
        """
        self.waiting.append((window, str(uuid.uuid4())))
        while len(self.waiting) > MOST_WAITING:
            self.waiting.popleft()
            self.given_up += 1
        self.flush()

    def flush(self):
        """Sends what waits, in order."""
        while self.waiting:
            window, message_id = self.waiting[0]
            try:
                self.publish(window, message_id)
                self.sent += 1
            except RefusedWindow as reason:
                self._set_aside(window, reason)
            except Exception as fault:  # whatever is the matter, a gateway serves on
                self.fault = fault
                return
            self.waiting.popleft()
        self.fault = None

    def publish(self, window, message_id=None):
        """Returns when the platform keeps the window.

        Raises RefusedWindow when it never will; after anything else send again with the same message_id: the window
        counts once.
        """
        body, message_id = _body_of(window), message_id or str(uuid.uuid4())
        if self.broker:
            self._publish_to_broker(window["fleet"], body, message_id)
        else:
            self._post(window["fleet"], body, message_id)

    def tokens(self, fleet):
        """Tokens by task type; the last known while the platform is away. Ask as often as you like, a few seconds apart."""
        etag, tokens = self.held.get(fleet, (None, None))
        headers = {"Authorization": f"Bearer {self.key}", **({"If-None-Match": etag} if etag else {})}
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self.api}/v1/fleets/{fleet}/allocation", headers=headers), timeout=5) as answer:
                snapshot = json.load(answer)
                tokens = {it["taskType"]: it["tokens"] for it in snapshot.get("sent", snapshot["solution"])["allocation"]}
                self.held[fleet] = (answer.headers["ETag"], tokens)
        except (urllib.error.URLError, TimeoutError):  # 304 among them
            if tokens is None:
                raise
        return tokens

    def _publish_to_broker(self, fleet, body, message_id):
        import pika

        if self.channel is None or self.channel.is_closed:
            self.channel = pika.BlockingConnection(pika.URLParameters(self.broker)).channel()
            self.channel.confirm_delivery()
        properties = pika.BasicProperties(
            user_id=self.tenant, message_id=message_id, content_type="application/json", delivery_mode=2)
        self.channel.basic_publish("workload-statistics", f"{self.tenant}.{fleet}", body, properties, mandatory=True)

    def _post(self, fleet, body, message_id):
        url = f"{self.api}/v1/fleets/{urllib.parse.quote(fleet, safe='')}/statistics"
        authorization = f"Bearer {self.key}"
        headers = {"Authorization": authorization, "Content-Type": "application/json", "Idempotency-Key": message_id}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST"), timeout=15):
                return
        except urllib.error.HTTPError as answer:
            reason = f"the platform answered {answer.code}: {answer.read().decode(errors='replace')}"
            if answer.code < 500 and answer.code not in NOT_OF_THE_WINDOW:
                raise RefusedWindow(reason) from answer
            raise ConnectionError(reason) from answer

    def _set_aside(self, window, reason):
        self.refused += 1
        log.error("a window was refused and set aside: %s", reason)
        if self.on_refused:
            try:
                self.on_refused(window, reason)
            except Exception:  # the next window is sent all the same
                log.exception("on_refused failed")


def _body_of(window):
    """The window's JSON; the broker would take anything, and the platform then set it aside unheard."""
    try:
        body = json.dumps(window, allow_nan=False).encode()
    except (TypeError, ValueError) as fault:
        raise RefusedWindow(f"it cannot be written as JSON: {fault}") from fault
    if not isinstance(window, dict) or not isinstance(window.get("fleet"), str):
        raise RefusedWindow("it names no fleet")
    if len(body) > MAX_BYTES:
        raise RefusedWindow(f"it has {len(body)} bytes; at most {MAX_BYTES} are taken")
    return body
