// The same pipeline by hand in Node: bodies of the tracking API in, scored profiles out, no AWS calls in between.
//
// Written as a careful engineer writes it, not as a straw man: one pass an event, plain objects, `JSON` from the engine, no dependencies. It does the
// computations of the Rust pipeline (checks, clock correction, packing, de-duplication, counts, tallies, milestones, decaying points, activity, revenue, stage,
// scores, a stored profile) and none of its journeys, due times or outbox.
//
// stdin: {"config": {...}, "bodies": ["...", ...], "rounds": n}; stdout: {"cpuNsPerEvent": [...], "events": n, "scores": {...}}.

const DAY = 86_400;
const KINDS = new Set(["identify", "track", "page", "screen", "group", "alias"]);
const RECENT = 64;

// ---- ingest ---------------------------------------------------------------------------------------------------------------------------

function text(value, max) {
  if (typeof value === "number") value = String(value);
  if (typeof value !== "string") return undefined;
  const trimmed = value.trim();
  return trimmed === "" || trimmed.length > max || /\p{Cc}/u.test(trimmed) ? undefined : trimmed;
}

function accept(call, sentAt, receivedAt, receivedText) {
  if (typeof call !== "object" || call === null || !KINDS.has(call.type)) return undefined;
  const userId = text(call.userId, 256);
  const anonymousId = text(call.anonymousId, 256);
  const messageId = text(call.messageId, 256);
  if (userId === undefined && anonymousId === undefined) return undefined;
  const event = text(call.event, 200);
  if (call.type === "track" && event === undefined) return undefined;
  const happened = Date.parse(call.timestamp ?? call.originalTimestamp ?? receivedText);
  if (Number.isNaN(happened)) return undefined;
  const at = Number.isNaN(sentAt) ? happened : receivedAt - (sentAt - happened);
  if (at < 0 || at > receivedAt + DAY * 1000) return undefined;
  return {
    messageId,
    type: call.type,
    userId,
    anonymousId,
    timestamp: new Date(at).toISOString(),
    originalTimestamp: new Date(happened).toISOString(),
    receivedAt: receivedText,
    source: "local",
    event,
    groupId: text(call.groupId ?? call.context?.groupId, 256),
    properties: call.properties,
    traits: call.traits,
    context: call.context,
  };
}

function ingest(body, receivedAt) {
  const parsed = JSON.parse(body);
  const sentAt = Date.parse(parsed.sentAt);
  const receivedText = new Date(receivedAt).toISOString();
  const people = new Map();
  for (const call of parsed.batch) {
    const event = accept(call, sentAt, receivedAt, receivedText);
    if (event === undefined) continue;
    const id = event.userId ?? event.anonymousId;
    const of = people.get(id);
    if (of === undefined) people.set(id, [event]);
    else of.push(event);
  }
  return [JSON.stringify({ "events.v1": { events: [...people.values()].flat() } })];
}

// ---- score ----------------------------------------------------------------------------------------------------------------------------

const fresh = () => ({
  seenIds: [],
  counts: {},
  first: null,
  last: null,
  days: [],
  months: [],
  tallies: {},
  milestones: {},
  points: {},
  traits: {},
  account: null,
  revenue: {},
});

function mark(list, n) {
  if (!list.includes(n)) list.push(n);
}

function apply(config, state, event) {
  const name = event.type === "track" ? event.event : `$${event.type}`;
  const at = Date.parse(event.timestamp);
  const seconds = Math.floor(at / 1000);
  state.counts[name] = (state.counts[name] ?? 0) + 1;
  state.first = state.first === null ? at : Math.min(state.first, at);
  state.last = state.last === null ? at : Math.max(state.last, at);
  mark(state.days, Math.floor(seconds / DAY));
  mark(state.months, event.timestamp.slice(0, 7));
  for (const milestone of config.milestones[name] ?? []) {
    const span = (state.milestones[milestone] ??= { first: at, last: at });
    span.first = Math.min(span.first, at);
    span.last = Math.max(span.last, at);
  }
  for (const tally of config.tallies[name] ?? []) state.tallies[tally] = (state.tallies[tally] ?? 0) + 1;
  for (const rule of config.rulesByEvent[name] ?? []) {
    if (!rule.wants(event.properties ?? {})) continue;
    const points = (state.points[rule.key] ??= { events: 0, epochs: {} });
    points.events += 1;
    if (rule.halfLifeDays !== null) {
      const position = seconds / (rule.halfLifeDays * DAY);
      const epoch = Math.floor(position);
      points.epochs[epoch] = (points.epochs[epoch] ?? 0) + Math.round(2 ** (position - epoch) * 1_048_576);
    }
  }
  if (event.type === "identify") for (const [key, value] of Object.entries(event.traits ?? {})) state.traits[key] = { at, value };
  if (event.groupId !== undefined) state.account = event.groupId;
  const revenue = Number(event.properties?.revenue);
  if (event.type === "track" && Number.isFinite(revenue)) {
    const currency = event.properties.currency ?? "USD";
    state.revenue[currency] = (state.revenue[currency] ?? 0) + Math.round(revenue * 100);
  }
}

const wholeDays = (from, to) => Math.floor((to - from) / (DAY * 1000));

function stageOf(config, state, now) {
  let latest;
  for (const milestone of ["trial", "freemium", "customer", "churned"]) {
    const span = state.milestones[milestone];
    if (span !== undefined && (latest === undefined || span.last >= state.milestones[latest].last)) latest = milestone;
  }
  if (latest === undefined) return state.milestones.lead === undefined ? "visitor" : "lead";
  if (latest !== "customer") return latest;
  if (wholeDays(state.last, now) >= config.atRiskAfterIdleDays) return "at_risk";
  const tenure = wholeDays(state.milestones.customer.first, now);
  return tenure < config.onboardingDays ? "onboarding" : tenure < config.adoptingDays ? "adopting" : "established";
}

function evaluate(config, state, now) {
  const seconds = Math.floor(now / 1000);
  const stage = stageOf(config, state, now);
  const scores = {};
  for (const likelihood of config.likelihoods) {
    scores[likelihood] = config.base[likelihood] ?? 0;
  }
  for (const rule of config.rules) {
    const counted = state.points[rule.key];
    if (counted === undefined) continue;
    let weight = counted.events;
    if (rule.halfLifeDays !== null) {
      const position = seconds / (rule.halfLifeDays * DAY);
      weight = 0;
      for (const epoch in counted.epochs) weight += (counted.epochs[epoch] / 1_048_576) * 2 ** (epoch - position);
      weight = Math.min(weight, counted.events);
    }
    const left = rule.points * weight;
    const points = rule.cap === null ? left : Math.max(-rule.cap, Math.min(rule.cap, left));
    scores[rule.score] += points;
  }
  const today = Math.floor(seconds / DAY);
  const active = state.days.filter((day) => day > today - 28 && day <= today).length;
  for (const signal of config.signals) {
    if (signal.stages.length > 0 && !signal.stages.includes(stage)) continue;
    const measure =
      signal.measure === "idle_days" ? wholeDays(state.last, now) : signal.measure === "active_days(28)" ? active : wholeDays(state.first, now);
    const share = Math.max(0, Math.min(1, (measure - signal.from) / (signal.to - signal.from)));
    scores[signal.score] += signal.points * share;
  }
  for (const likelihood of config.likelihoods) {
    const stages = config.applies[likelihood];
    // In other stages the score is absent.
    if (stages.length > 0 && !stages.includes(stage)) delete scores[likelihood];
    else scores[likelihood] = Math.round(Math.max(0, Math.min(100, scores[likelihood])));
  }
  return { stage, scores, engagement: Math.min(100, (active / 20) * 100) };
}

function score(config, table, message, now) {
  const { events } = JSON.parse(message)["events.v1"];
  const people = new Map();
  for (const event of events) {
    const id = event.userId ?? event.anonymousId;
    const of = people.get(id);
    if (of === undefined) people.set(id, [event]);
    else of.push(event);
  }
  let counted = 0;
  for (const [id, own] of people) {
    const stored = table.get(id);
    const state = stored === undefined ? fresh() : JSON.parse(stored);
    const seen = new Set(state.seenIds);
    for (const event of own) {
      if (seen.has(event.messageId)) continue;
      seen.add(event.messageId);
      state.seenIds.push(event.messageId);
      apply(config, state, event);
      counted += 1;
    }
    if (state.seenIds.length > RECENT) state.seenIds = state.seenIds.slice(-RECENT);
    const { stage, scores, engagement } = evaluate(config, state, now);
    state.stage = stage;
    state.engagement = engagement;
    state.scores = scores;
    table.set(id, JSON.stringify(state));
  }
  return counted;
}

// ---- measure --------------------------------------------------------------------------------------------------------------------------

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { config, bodies, now, rounds } = JSON.parse(input);
// A condition on properties is valid JavaScript, except for `in` with a list.
for (const rule of config.rules) {
  const source = rule.filter?.replace(/(\S+) in (\[[^\]]*\])/g, "$2.includes($1)") ?? "true";
  rule.wants = new Function("properties", `return ${source}`);
}
config.rulesByEvent = Object.groupBy ? Object.groupBy(config.rules, (rule) => rule.event) : {};
if (!Object.groupBy) for (const rule of config.rules) (config.rulesByEvent[rule.event] ??= []).push(rule);

const cpuNsPerEvent = [];
let events = 0;
let table;
for (let round = 0; round < rounds; round += 1) {
  table = new Map();
  events = 0;
  const before = process.cpuUsage();
  for (const body of bodies) for (const message of ingest(body, now)) events += score(config, table, message, now);
  const used = process.cpuUsage(before);
  cpuNsPerEvent.push(((used.user + used.system) * 1000) / events);
}
const scores = {};
for (const stored of table.values())
  for (const [likelihood, value] of Object.entries(JSON.parse(stored).scores)) scores[likelihood] = (scores[likelihood] ?? 0) + value;
process.stdout.write(JSON.stringify({ cpuNsPerEvent, events, scores }));
