#!/usr/bin/env python3
"""Computes reports from archived events by the definitions of shared/reports/README.md, to compare with what Perennial says.

    figures.py CONFIG_DIR ARCHIVE_DIR NOW

prints one JSON object. Standard library only; shares no code with Perennial.
"""

import datetime as dt
import gzip
import json
import pathlib
import sys
import tomllib
from collections import Counter, defaultdict

DAY = dt.timedelta(days=1)
# Days, and months, of activity that a profile holds, counted back from its newest.
HELD_DAYS, HELD_MONTHS = 128, 64
# Addresses that several people read identify nobody.
SHARED = ("info", "sales", "support", "office", "contact", "hello", "team", "admin", "billing")
SERVER = ("node", "python", "ruby", "php", "java", "golang", "-go", "replay-server")


def moment(text):
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def month_of(at):
    return at.year * 12 + at.month - 1


def month_name(month):
    return f"{month // 12:04}-{month % 12 + 1:02}"


def read(archive):
    """Returns every event once, by its message id."""
    events = {}
    for path in sorted(pathlib.Path(archive).glob("day=*/*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)
                events.setdefault(event["messageId"], event)
    return sorted(events.values(), key=lambda event: (event["timestamp"], event["messageId"]))


class People:
    """Which ids are one person: union of sets."""

    def __init__(self):
        self.parent = {}

    def find(self, name):
        self.parent.setdefault(name, name)
        while self.parent[name] != name:
            self.parent[name] = self.parent[self.parent[name]]
            name = self.parent[name]
        return name

    def union(self, one, other):
        self.parent[self.find(one)] = self.find(other)


def identity(event):
    if event.get("userId"):
        return ("user", event["userId"])
    return ("anonymous", event["anonymousId"]) if event.get("anonymousId") else None


def people_of(events):
    people, owners, addresses = People(), {}, {}
    for event in events:
        who = identity(event)
        if who is None:
            continue
        people.find(who)
        anonymous = event.get("anonymousId") if event["type"] == "identify" else None
        for linked in filter(None, [anonymous, event.get("previousId")]):
            if who[0] == "user":
                # A browser belongs to its first user.
                owner = owners.setdefault(linked, who)
                people.find(("anonymous", linked))
                if owner == who:
                    people.union(("anonymous", linked), who)
        address = (event.get("traits") or {}).get("email")
        if who[0] == "user" and isinstance(address, str) and "@" in address:
            address = address.strip().removeprefix("mailto:").strip("<>").lower()
            if address.split("@")[0] in SHARED:
                continue
            people.union(who, addresses.setdefault(address, who))
    return people


def is_active(event, passive):
    if event.get("source") == "journeys":
        return False
    name = event.get("event") or f"${event['type']}"
    if name in passive:
        return False
    context = event.get("context") or {}
    if isinstance(context.get("active"), bool):
        return context["active"]
    if event["type"] in ("track", "page", "screen"):
        return True
    library = ((context.get("library") or {}).get("name") or "").lower()
    on_device = ("javascript", ".js", "js-", "-js", "native", "web", "browser")
    return any(part in library for part in on_device) or not any(part in library for part in SERVER)


def activity(days, now):
    """DAU, WAU and MAU of the 98 closed days, from the first one with anybody on."""
    today = now.date()
    out = []
    for back in range(98, 0, -1):
        day = today - back * DAY
        counts = [sum(any(day - i * DAY in own for i in range(length)) for own in days.values()) for length in (1, 7, 30)]
        if out or counts[2]:
            out.append([day.isoformat(), *counts])
    return out


def cohorts(seen, now):
    this_month = month_of(now)
    sizes, active = Counter(), defaultdict(Counter)
    for moments in seen.values():
        months = {month_of(at) for at in moments}
        first = min(months)
        if this_month - 24 < first <= this_month:
            sizes[first] += 1
            for month in months - {first}:
                if month > max(months) - HELD_MONTHS:
                    active[first][month - first] += 1
    return [
        [month_name(month), sizes[month]]
        + [[active[month][after], sizes[month]] for after in range(1, this_month - month + 1)]
        for month in sorted(sizes)
    ]


def features(events, person_of, config, now):
    """People within 28 days, ever, errors within 28 days, people with errors."""
    today, out = now.date(), {}
    for feature in config["feature"]:
        recent, ever, errors, met = set(), set(), 0, set()
        wanted = feature["name"]
        for event in events:
            properties = event.get("properties") or {}
            if person_of(event) is None or properties.get("feature") != wanted:
                continue
            is_recent = 0 <= (today - moment(event["timestamp"]).date()).days < 28
            if event.get("event") == feature["event"]:
                ever.add(person_of(event))
                if is_recent:
                    recent.add(person_of(event))
            elif event.get("event") == config["errors"]["event"] and is_recent:
                errors += 1
                met.add(person_of(event))
        out[wanted] = [len(recent), len(ever), errors, len(met)]
    return out


def survey(events, person_of, scoring, now):
    """Promoters, passives and detractors by month, of each person's latest answer within the month."""
    rule, latest = scoring["nps"], {}
    for event in events:
        answer = (event.get("properties") or {}).get(rule["property"])
        if event.get("event") == rule["event"] and isinstance(answer, (int, float)) and person_of(event) is not None:
            key = (moment(event["timestamp"]), answer)
            of = (person_of(event), month_of(key[0]))
            latest[of] = max(latest.get(of, key), key)
    months = defaultdict(lambda: [0, 0, 0])
    for (_, month), (_, answer) in latest.items():
        if month_of(now) - 24 < month <= month_of(now):
            months[month_name(month)][0 if answer >= 9 else 1 if answer >= 7 else 2] += 1
    return dict(sorted(months.items()))


def funnel(events, person_of, lifecycle):
    """People who ever started a trial, paid, and left; and days from trial to payment."""
    milestones = lifecycle["milestones"]
    first = {step: {} for step in ("trial", "customer")}
    for event in events:
        for step, reached in first.items():
            if event.get("event") in milestones[step] and person_of(event) is not None:
                reached.setdefault(person_of(event), moment(event["timestamp"]))
    trial, customer = first["trial"], first["customer"]
    # A trial that begins while somebody pays is none.
    trial = {who: at for who, at in trial.items() if who not in customer or at < customer[who]}
    days = sorted((customer[who] - at).days for who, at in trial.items() if who in customer)
    median = days[(len(days) + 1) // 2 - 1] if days else None
    return {"trial": len(trial), "customer": len(customer), "converted": len(days), "median": median}


def end_of(month):
    """The last second of a month since the year 0."""
    year, month = divmod(month + 1, 12)
    return dt.datetime(year, month + 1, 1, tzinfo=dt.timezone.utc) - dt.timedelta(seconds=1)


def paid_at(moves, now):
    """What a customer with these moves, in their order, pays a month at a moment."""
    price, pays = 0, False
    for at, kind, minor in moves:
        if at > now:
            break
        pays, price = pays if kind == "changed" else kind == "paid", minor or price
    return price if pays else 0


def revenue(events, lifecycle, billing, now):
    """Recurring revenue by month, in minor units: [opening, new, expansion, contraction, churned, reactivation, closing, customers]."""
    milestones = lifecycle["milestones"]
    customers = defaultdict(list)
    for event in events:
        name, account = event.get("event"), event.get("groupId") or (event.get("context") or {}).get("groupId")
        if identity(event) is None:
            continue
        who = account or identity(event)
        properties = event.get("properties") or {}
        at = moment(event["timestamp"])
        if name in milestones["churned"]:
            customers[who].append((at, "ended", None))
        elif name in milestones["customer"] and name not in billing["subscriptions"]["one_time"]:
            # A month's price if the event says one, which an upgrade does before its first payment; else the payment.
            price = properties.get("price")
            paid = price * properties.get("quantity", 1) if price is not None else properties.get("revenue")
            customers[who].append((at, "paid", round(paid * 100) if paid else None))
        elif name in billing["subscriptions"]["events"] and properties.get("price") is not None:
            # A change of terms says nothing of whether it is paid for.
            price = properties["price"] * properties.get("quantity", 1)
            customers[who].append((at, "changed", round(price * 100)))
    this_month = month_of(now)
    at_end = {}
    for who, moves in customers.items():
        moves.sort(key=lambda move: move[0])
        for month in range(month_of(moves[0][0]), this_month + 1):
            price, pays = None, False
            for at, kind, minor in moves:
                if month_of(at) > month or at > now:
                    break
                pays = pays if kind == "changed" else kind == "paid"
                price = minor or price
            if pays and price:
                at_end[who, month] = price
    out = []
    first = min((month for _, month in at_end), default=this_month + 1)
    for month in range(max(first, this_month - 23), this_month + 1):
        sums = [0] * 8
        for who in {who for who, _ in at_end}:
            before, after = at_end.get((who, month - 1), 0), at_end.get((who, month), 0)
            by = after - before
            known = any(at_end.get((who, earlier), 0) for earlier in range(first, month))
            kind = (5 if known else 1) if not before and after else 4 if before and not after else 2 if by > 0 else 3
            sums[0] += before
            sums[kind] += by
            sums[6] += after
            sums[7] += after > 0
        out.append([month_name(month), *sums])
    since = max(now.replace(year=now.year - 1), end_of(first))
    paid = {who: paid_at(moves, since) for who, moves in customers.items()}
    before = {who: minor for who, minor in paid.items() if minor}
    after = {who: paid_at(customers[who], now) for who in before}
    kept = [sum(before.values()), sum(after.values()), sum(min(before[who], after[who]) for who in before)]
    retention = [str(since.date()), *kept, len(before), sum(minor > 0 for minor in after.values())]
    return {"months": out, "retention": retention}


def main(config_dir, archive, now):
    config = {path.stem: tomllib.loads(path.read_text()) for path in pathlib.Path(config_dir).glob("*.toml")}
    now, events = moment(now), read(archive)
    people = people_of(events)

    def person_of(event):
        who = identity(event)
        return None if who is None else people.find(who)

    passive = set(config["lifecycle"].get("activity", {}).get("passive", []))
    seen = defaultdict(list)
    for event in events:
        if person_of(event) is not None and is_active(event, passive):
            seen[person_of(event)].append(moment(event["timestamp"]))
    days = {who: {at.date() for at in moments} for who, moments in seen.items()}
    days = {who: {day for day in own if day > max(own) - HELD_DAYS * DAY} for who, own in days.items()}
    result = {
        "people": len({people.find(who) for who in people.parent}),
        "activity": activity(days, now),
        "cohorts": cohorts(seen, now),
        "features": features(events, person_of, config["features"], now),
        "nps": survey(events, person_of, config["scoring"], now),
        "funnel": funnel(events, person_of, config["lifecycle"]),
        "revenue": revenue(events, config["lifecycle"], config["billing"], now),
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
