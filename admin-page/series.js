/** Rates and latencies from the counters of a fleet, as sums over its instances. */
const SAMPLES = 90;

export class Series {
  #values = [];

  add(value) {
    this.#values.push(value);
    if (this.#values.length > SAMPLES) this.#values.shift();
  }

  get values() { return this.#values; }
  get last() { return this.#values.at(-1); }
}

/** The differences of an instance's counters between two answers; null where it restarted or is new. */
function difference(now, before) {
  if (!before || before.startedAt !== now.startedAt) return null;
  const seconds = (now.takenAt - before.takenAt) / 1000;
  return seconds > 0 ? { seconds, of: (name) => Math.max(0, (now[name] ?? 0) - (before[name] ?? 0)) } : null;
}

/** The 99th percentile in milliseconds of what was observed between two answers; null where nothing was. */
export function percentile(pairs, name, share = 0.99) {
  const bounds = pairs[0]?.now[name]?.bounds ?? [];
  const counts = new Array(bounds.length + 1).fill(0);
  for (const { now, before } of pairs) {
    const [a, b] = [now[name]?.counts ?? [], before[name]?.counts ?? []];
    for (let index = 0; index < counts.length; index++) counts[index] += Math.max(0, (a[index] ?? 0) - (b[index] ?? 0));
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let rest = total * share;
  for (let index = 0; index < counts.length; index++) {
    rest -= counts[index];
    if (rest <= 0) return bounds[Math.min(index, bounds.length - 1)] ?? null;
  }
  return bounds.at(-1) ?? null;
}

export const PLOTS = [
  { name: "Messages", unit: "/s", counter: "messages" },
  { name: "Deliveries", unit: "/s", counter: "deliveries" },
  { name: "HTTP requests", unit: "/s", counter: "requests" },
  { name: "Refusals", unit: "/s", counter: "refusals" },
  { name: "Delivery, 99 %", unit: " ms", distribution: "fanOut" },
  { name: "Commit, 99 %", unit: " ms", distribution: "commit" },
  { name: "Sessions", unit: "", level: "sessions" },
  { name: "CPU", unit: " cores", counter: "cpuSeconds" },
];

export class FleetSeries {
  #before = new Map();
  series = PLOTS.map(() => new Series());

  add(fleet, takenAt) {
    const stats = fleet.map((each) => ({ ...each, takenAt }));
    const pairs = stats.map((now) => ({ now, before: this.#before.get(now.instance) }))
      .map((pair) => ({ ...pair, difference: difference(pair.now, pair.before) })).filter((pair) => pair.difference);
    PLOTS.forEach((plot, index) => {
      let value = null;
      if (plot.level) value = stats.reduce((sum, each) => sum + (each[plot.level] ?? 0), 0);
      else if (plot.counter && pairs.length) value = pairs.reduce((sum, { difference }) => sum + difference.of(plot.counter) / difference.seconds, 0);
      else if (plot.distribution && pairs.length) value = percentile(pairs, plot.distribution);
      this.series[index].add(value);
    });
    this.#before = new Map(stats.map((each) => [each.instance, each]));
  }
}
