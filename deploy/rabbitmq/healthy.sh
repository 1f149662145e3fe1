# Asks the management interface whether the broker takes connections. rabbitmq-diagnostics would cost a second of processor time at each
# look, and one of root's that came before the server would write an Erlang cookie that the server cannot read.
exec 3<>/dev/tcp/127.0.0.1/15672 || exit 1
printf 'GET /api/health/checks/port-listener/5672 HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n' \
    "$(printf '%s:%s' "$RABBITMQ_DEFAULT_USER" "$RABBITMQ_DEFAULT_PASS" | base64 -w 0)" >&3
read -r -t 5 answer <&3 && [[ $answer == *' 200 '* ]]
