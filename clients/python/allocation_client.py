"""For a gateway in Python: publishes workload windows with confirms, and keeps the allocation in force at hand. Copy it; it needs pika."""
import json
import urllib.error
import urllib.request
import uuid

import pika


class AllocationClient:
    def __init__(self, api, key, broker):
        """api: the platform's address; key: one that may read; broker: amqp://USER:PASSWORD@HOST/ingress, where USER is the tenant."""
        self.api, self.key, self.parameters, self.channel, self.held = api, key, pika.URLParameters(broker), None, {}
        self.tenant = self.parameters.credentials.username

    def publish(self, window, message_id=None):
        """Returns when the broker keeps the window. If it raises, send again with the same message_id: the window counts once."""
        if self.channel is None or self.channel.is_closed:
            self.channel = pika.BlockingConnection(self.parameters).channel()
            self.channel.confirm_delivery()
        properties = pika.BasicProperties(
            user_id=self.tenant, message_id=message_id or str(uuid.uuid4()), content_type="application/json", delivery_mode=2)
        self.channel.basic_publish("workload-statistics", f"{self.tenant}.{window['fleet']}", json.dumps(window).encode(), properties, mandatory=True)

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
