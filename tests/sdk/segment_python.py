"""Makes the calls from stdin through segment-analytics-python and prints the failures it reported, both as JSON."""

import json
import logging
import sys
from datetime import datetime

from segment.analytics.client import Client

ARGUMENTS = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "groupId": "group_id",
    "previousId": "previous_id",
    "messageId": "message_id",
}


def main() -> None:
    # The client logs each failure that it also reports.
    logging.getLogger("segment").setLevel(logging.CRITICAL)
    order = json.load(sys.stdin)
    failures: list[str] = []
    client = Client(
        order["writeKey"],
        host=order["url"],
        gzip=order["gzip"],
        on_error=lambda error, _batch: failures.append(str(error)),
        upload_size=100,
        upload_interval=0.1,
    )
    for call in order["calls"]:
        kind = call.pop("type")
        call["timestamp"] = datetime.fromisoformat(call["timestamp"].replace("Z", "+00:00"))
        getattr(client, kind)(**{ARGUMENTS.get(key, key): value for key, value in call.items()})
    client.flush()
    client.shutdown()
    json.dump(failures, sys.stdout)


main()
