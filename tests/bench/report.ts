/** Figures of a benchmark and the table that compares them. */

/** Milliseconds. */
export interface Figures {
  readonly min: number;
  readonly median: number;
  readonly p90: number;
}

/** One command of one runtime. */
export interface Measured {
  readonly runtime: string;
  readonly command: string;
  readonly figures: Figures;
}

/** What was timed through mod.ts. */
interface InProcess {
  readonly lifecycle: Figures;
  readonly exec: Figures;
}

/** Sorts the times and picks the figures. */
export function summarize(times: readonly number[]): Figures {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  return { min: at(0), median: at(0.5), p90: at(0.9) };
}

/** Ways of running runts, each of which is compared with the others: `warm` has a brain. */
const OURS = ["runts", "warm"];

/** The table of one series, with the ratios of medians, and what stands beside the commands. */
export function table(
  title: string,
  floor: Figures,
  measured: readonly Measured[],
  { lifecycle, exec }: InProcess,
): string {
  const { runtimes, peers, of, rows } = comparison(measured, OURS);
  const against = (figures: Figures, command: string) => [
    text(figures),
    ...runtimes.slice(1).map(() => ""),
    ...peers.map((peer) => ratio(figures, of(peer, command))),
  ];
  rows.push(["mod.ts lifecycle", ...against(lifecycle, "run")]);
  rows.push(["mod.ts exec", ...against(exec, "exec")]);
  rows.push(["empty Deno script", text(floor)]);
  const state = ratio(of("runts", "state"), floor);
  return `${title}\n${align(rows)}\nrunts state / empty Deno script: ${state}\n`;
}

/** The table of commands by runtime alone, with the ratios of the first to the others. */
export function plainTable(title: string, measured: readonly Measured[]): string {
  return `${title}\n${align(comparison(measured).rows)}\n`;
}

/** `ours`: those that are compared with the others; by default the first one. */
function comparison(measured: readonly Measured[], ours?: readonly string[]) {
  const runtimes = [...new Set(measured.map((one) => one.runtime))];
  const commands = [...new Set(measured.map((one) => one.command))];
  const of = (runtime: string, command: string) =>
    measured.find((one) => one.runtime === runtime && one.command === command)?.figures;
  const own = runtimes.filter((name, index) => ours?.includes(name) ?? index === 0);
  const peers = runtimes.filter((name) => !own.includes(name));
  const pairs = own.flatMap((one) => peers.map((peer) => [one, peer] as const));
  const rows = [["", ...runtimes, ...pairs.map((pair) => pair.join("/"))]];
  for (const command of commands) {
    const ratios = pairs.map(([one, peer]) => ratio(of(one, command), of(peer, command)));
    rows.push([command, ...runtimes.map((runtime) => text(of(runtime, command))), ...ratios]);
  }
  return { runtimes, peers, of, rows };
}

function text(figures: Figures | undefined): string {
  if (figures === undefined) return "-";
  return [figures.min, figures.median, figures.p90].map((ms) => ms.toFixed(1)).join(" / ");
}

function ratio(own: Figures | undefined, peer: Figures | undefined): string {
  return own && peer ? (own.median / peer.median).toFixed(2) : "-";
}

/** Rows as lines, cells one below the other. */
export function align(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(width(column))).join("  ").trimEnd()
  )
    .join("\n");
}
