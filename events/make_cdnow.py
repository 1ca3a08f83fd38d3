#!/usr/bin/env python3
"""Makes events/cdnow.ndjson.gz: every CDNOW purchase as calls of the tracking API.

    pip download lifetimes==0.11.3 --no-deps --dest build
    python3 events/make_cdnow.py build/Lifetimes-0.11.3-py3-none-any.whl events/cdnow.ndjson.gz

Needs the standard library only, and no randomness: the same package gives the same bytes on every machine that has
the same zlib, and the same events on all of them (see events/README.md).

One `identify` for each of the 23,570 customers, 30 seconds before the first order; one `Order Completed` for each of the
69,659 rows. Real: customers, days, quantities, amounts. Invented, because the source has only days: the second of the day,
between 07:00:00 and 22:59:59 UTC, drawn from a hash of the row's number; and the ids.
"""

import gzip
import hashlib
import json
import sys
import zipfile
from datetime import datetime, timedelta, timezone

MEMBER = "lifetimes/datasets/CDNOW_master.txt"
MEMBER_SHA256 = "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef"
# SHA-256 over all message ids in the order of the file, with a line feed between two.
IDS_SHA256 = "68b57a6deab358916ef378321efda433f99dc60cb811ee19499b34115f06c301"

# Of two orders in the same second the earlier row comes first, but for these rows, which come before the other: the
# stream was first made with a sort that keeps no order among equals, and the known hash of its ids is of that order.
FIRST_IN_THEIR_SECOND = {10136, 10270, 10450, 14682, 14803, 15040, 19631, 21538, 22218, 30998, 41588, 45906, 59185, 60598, 63484, 68078}

OPENS = timedelta(hours=7)
OPEN_SECONDS = 16 * 60 * 60
CONTEXT = {"library": {"name": "replay", "version": "1.0.0"}}


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def message_id(key: str) -> str:
    """The key's hash in the form of a version 4 UUID, which SDKs send."""
    h = digest(key).hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:32]}"


def at(day: str, row: int) -> datetime:
    midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=timezone.utc)
    second = int.from_bytes(digest(f"todcdnow|{row}")[:4], "big") % OPEN_SECONDS
    return midnight + OPENS + timedelta(seconds=second)


def wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def calls(text: str):
    """Gives (moment, call), the identifies first."""
    rows = [(row, *line.split()) for row, line in enumerate(text.splitlines()[1:])]
    first = {}
    for row, customer, day, _, _ in rows:
        user = f"cdnow-{customer}"
        first[user] = min(at(day, row), first.get(user, datetime.max.replace(tzinfo=timezone.utc)))
    for user, moment in first.items():
        joined = moment - timedelta(seconds=30)
        yield joined, {
            "messageId": message_id(f"id|{user}"),
            "timestamp": wire(joined),
            "context": CONTEXT,
            "type": "identify",
            "userId": user,
            "traits": {"created_at": wire(joined), "cohort": f"{joined.year}Q{(joined.month + 2) // 3}"},
        }
    # The sort by moment is stable, so that this order decides between equals.
    for row, customer, day, quantity, revenue in sorted(rows, key=lambda r: (r[0] not in FIRST_IN_THEIR_SECOND, r[0])):
        moment = at(day, row)
        yield moment, {
            "messageId": message_id(f"cdnow|{row}"),
            "timestamp": wire(moment),
            "context": CONTEXT,
            "type": "track",
            "userId": f"cdnow-{customer}",
            "event": "Order Completed",
            "properties": {"order_id": f"o{row:06d}", "revenue": float(revenue), "quantity": int(quantity), "currency": "USD"},
        }


def main(package: str, out: str) -> None:
    with zipfile.ZipFile(package) as wheel:
        raw = wheel.read(MEMBER)
    found = hashlib.sha256(raw).hexdigest()
    if found != MEMBER_SHA256:
        sys.exit(f"{MEMBER} has sha256 {found}; expected {MEMBER_SHA256} (lifetimes 0.11.3)")

    stream = [call for _, call in sorted(calls(raw.decode("ascii")), key=lambda pair: pair[0])]
    ids = hashlib.sha256("\n".join(call["messageId"] for call in stream).encode()).hexdigest()
    if ids != IDS_SHA256:
        sys.exit(f"the message ids hash to {ids}; expected {IDS_SHA256}")
    with open(out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as zipped:
        for call in stream:
            zipped.write(json.dumps(call, separators=(",", ":")).encode() + b"\n")
    revenue = sum(round(call["properties"]["revenue"] * 100) for call in stream if call["type"] == "track")
    print(f"{len(stream)} events, {revenue / 100:.2f} USD, {out}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
