"""python3 -m unittest: what the client makes of a platform that refuses, is away, and comes back."""
import http.server
import json
import logging
import threading
import unittest

from allocation_client import AllocationClient, RefusedWindow

WINDOW = {"fleet": "chat", "windowStart": "2026-11-23T10:00:00Z", "windowEnd": "2026-11-23T10:00:10Z", "tasks": []}


class ReportTests(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.answers, self.asked, self.refused = answers, asked, refused = [], [], []
        self.bodies = bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                asked.append(self.headers["Idempotency-Key"])
                self.send_response(answers.pop(0) if answers else 202)
                self.end_headers()
                self.wfile.write(b"what is wrong")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.client = AllocationClient(f"http://127.0.0.1:{self.server.server_port}", "k", on_refused=lambda *it: refused.append(it))

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        logging.disable(logging.NOTSET)

    def test_a_window_that_is_refused_is_set_aside_and_the_next_is_sent(self):
        for status in (400, 409, 413, 422):
            with self.subTest(status):
                self.tearDown()
                self.setUp()
                self.answers.append(status)
                self.client.report(WINDOW)
                self.client.report(WINDOW)
                self.assertEqual((1, 1, 0, None), (self.client.refused, self.client.sent, len(self.client.waiting), self.client.fault))
                self.assertIsInstance(self.refused[0][1], RefusedWindow)
                self.assertIn("what is wrong", str(self.refused[0][1]))
                self.assertEqual(2, len(set(self.asked)))

    def test_while_the_platform_is_away_windows_wait_and_keep_their_ids(self):
        for status in (401, 404, 429, 500, 503):
            with self.subTest(status):
                self.tearDown()
                self.setUp()
                self.answers.append(status)
                self.client.report(WINDOW)
                self.assertEqual((0, 0, 1), (self.client.refused, self.client.sent, len(self.client.waiting)))
                self.assertIn(str(status), str(self.client.fault))
                self.client.report(WINDOW)
                self.assertEqual((2, 0, None), (self.client.sent, len(self.client.waiting), self.client.fault))
                self.assertEqual(self.asked[0], self.asked[1])

    def test_what_cannot_be_written_or_is_too_large_is_set_aside_unsent(self):
        self.client.report({**WINDOW, "tasks": [object()]})
        self.client.report({**WINDOW, "tasks": [float("nan")]})
        self.client.report({**WINDOW, "tasks": ["x" * 300_000]})
        self.client.report({"tasks": []})
        self.client.report(WINDOW)
        self.assertEqual((4, 1, 1), (self.client.refused, self.client.sent, len(self.asked)))

    def test_answer_tokens_go_as_the_window_tells_them_and_are_no_member_where_it_does_not(self):
        service = {"completions": 1, "tokens": 2, "tokensSquared": 4, "millis": 3, "millisSquared": 9, "tokenMillis": 6}
        told = [{**service, "answerTokens": 420}, {**service, "answerTokens": 0}, service]
        for it in told:
            self.client.report({**WINDOW, "tasks": [{"taskType": "math", "arrivals": 1, "service": it}]})
        self.assertEqual(told, [json.loads(body)["tasks"][0]["service"] for body in self.bodies])

    def test_a_listener_that_fails_stops_nothing(self):
        def fail(*_):
            raise ValueError

        self.client.on_refused = fail
        self.answers.append(400)
        self.client.report(WINDOW)
        self.client.report(WINDOW)
        self.assertEqual((1, 1), (self.client.refused, self.client.sent))


if __name__ == "__main__":
    unittest.main()
