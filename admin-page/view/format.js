const UNITS = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];

/** How long ago a time is, such as "3 min". */
export function age(time, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(time).getTime()) / 1000));
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS.at(-1);
  return Number.isFinite(seconds) ? `${Math.floor(seconds / size)} ${unit}` : "–";
}

export function bytes(count) {
  if (count == null) return "–";
  const units = ["B", "KiB", "MiB", "GiB"];
  let index = 0;
  while (count >= 1024 && index < units.length - 1) { count /= 1024; index += 1; }
  return `${count < 10 && index > 0 ? count.toFixed(1) : Math.round(count)} ${units[index]}`;
}

export function figure(value) {
  if (value == null) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value >= 100 ? Math.round(value).toLocaleString("en") : value >= 10 ? value.toFixed(1) : String(Math.round(value * 100) / 100);
}

export const moment = (milliseconds) => new Date(milliseconds).toISOString().replace("T", " ").slice(0, 19);
