"""python3 example.py FLEET: publishes one window twice under one id, as after a lost confirm, and prints the tokens in force.

API, KEY and BROKER are in the environment.
"""
import datetime
import json
import os
import sys
import uuid

from allocation_client import AllocationClient

fleet, end, message_id = sys.argv[1], datetime.datetime.now(datetime.timezone.utc), str(uuid.uuid4())
client = AllocationClient(os.environ["API"], os.environ["KEY"], os.environ["BROKER"])
# Two queries that ended: 800 and 600 reasoning tokens of 812 granted, 300 and 120 answer tokens, 16.4 s and 12.4 s.
service = {
    "completions": 2, "tokens": 1_400, "tokensSquared": 1_000_000, "tokensGranted": 1_624, "answerTokens": 420,
    "millis": 28_800, "millisSquared": 422_720_000, "tokenMillis": 20_560_000,
}
accuracy = [{"tokens": 512, "trials": 10, "correct": 7}]
window = {
    "fleet": fleet, "windowStart": (end - datetime.timedelta(seconds=10)).isoformat(), "windowEnd": end.isoformat(),
    "tasks": [{"taskType": "math", "arrivals": 12, "service": service, "accuracy": accuracy}],
}
client.publish(window, message_id)
client.publish(window, message_id)
print(json.dumps([client.tokens(fleet), client.tokens(fleet)]))
