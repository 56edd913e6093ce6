// Figures for people: medians, percentiles, ratios.

/**
 * @param {number[]} values
 * @param {number} share 0.5 is the median
 */
export function percentile(values, share) {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** @param {number[]} values */
export function median(values) {
  return percentile(values, 0.5);
}

/** @param {number[]} values */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/**
 * Rows with their columns aligned; the first row is the head.
 *
 * @param {(string | number)[][]} rows
 */
export function table(rows) {
  const shown = rows.map((row) => row.map(String));
  const widths = shown[0].map((_, column) => Math.max(...shown.map((row) => (row[column] ?? "").length)));
  return shown
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd())
    .join("\n");
}

/** @param {number} value */
export const ms = (value) => `${value.toFixed(2)} ms`;

/** @param {number} value */
export const ratio = (value) => `${value.toFixed(2)}x`;

/**
 * Says whether a figure is within its target. A target that is missed does not end the run: on a busy machine only ratios of one
 * run mean anything, and people read the whole table.
 *
 * @param {string} what
 * @param {number} value
 * @param {number} limit
 * @param {(value: number) => string} show
 */
export function verdict(what, value, limit, show) {
  return `${value <= limit ? "ok    " : "MISSED"}  ${what}: ${show(value)}, target ${show(limit)}`;
}
