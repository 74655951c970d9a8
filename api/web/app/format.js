// Values as people read them. Times are the server's: a browser's clock may be off.

let clockOffsetMs = 0;

/** Learn the server's time, so that "12 s ago" is right on a machine whose clock is not. */
export function setServerTime(iso) {
  if (iso) clockOffsetMs = Date.parse(iso) - Date.now();
}

export const serverNow = () => Date.now() + clockOffsetMs;

/** "now", "12 s ago", "3 min ago", "2 h ago", then the date. */
export function ago(iso) {
  const seconds = Math.max(0, (serverNow() - Date.parse(iso)) / 1000);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}

export const timeOfDay = (iso) =>
  iso ? new Date(iso).toLocaleTimeString(undefined, { hour12: false }) : "";

export const dateAndTime = (iso) =>
  iso
    ? new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium", hour12: false })
    : "";

export const percent = (share) => (share == null ? "" : `${Math.round(share * 100)} %`);

/** Up to three significant digits, without an exponent. */
export function number(value) {
  if (value == null) return "";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return String(Number(value.toFixed(digits)));
}

const UNITS = {
  s: ["s", 1],
  picture: ["% of picture", 100],
  "picture/s": ["% of picture/s", 100],
  share: ["%", 100],
  h: ["h", 1],
  1: ["", 1],
};

/** "1.4 s", "12 % of picture", "3". */
export function measured(value, unit) {
  const [name, factor] = UNITS[unit] ?? [unit ?? "", 1];
  return value == null ? "" : `${number(value * factor)}${name && ` ${name}`}`;
}

/**
 * "1.40 ± 0.08 s": the tolerance to one digit (two if it begins with 1), the value as far as that
 * carries. Hours of day as a clock shows them.
 */
export function withTolerance(value, tolerance, unit) {
  if (value == null) return "";
  if (unit === "h") return clockTime(value);
  if (!tolerance) return measured(value, unit);
  const [name, factor] = UNITS[unit] ?? [unit ?? "", 1];
  const spread = tolerance * factor;
  const power = Math.floor(Math.log10(spread));
  const digits = Math.max(0, (spread / 10 ** power < 2 ? 1 : 0) - power);
  return `${(value * factor).toFixed(digits)} \u00b1 ${spread.toFixed(digits)}${name && ` ${name}`}`;
}

function clockTime(hours) {
  const minutes = Math.floor(hours * 60 + 0.01) % 1440;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** "Zone entry" for "zone_entry". */
export function words(name) {
  const text = String(name ?? "").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const count = (value) => Number(value).toLocaleString("en").replaceAll(",", "\u202f");

/** "640 × 360". */
export const size = (width, height) => (width ? `${width} \u00d7 ${height}` : "");
