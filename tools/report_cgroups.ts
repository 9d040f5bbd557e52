/**
 * Prints what the kernels of this host and of the virtual machine hold for each limit, and how
 * `update` and `events` compare with runc's: the tables at the end of docs/cgroups.md.
 *
 *     deno task report:cgroups
 */

import { join } from "@std/path";
import type { Fields, Report, Row } from "../tests/report/cgroups.ts";
import { ROOT } from "./support/paths.ts";
import { output } from "./support/run.ts";
import { RUN, stage } from "./test/vm.ts";

const SCRIPT = "tests/report/cgroups.ts";
/** Seconds for what takes 20 on this host. */
const TIMEOUT_S = "900";

async function here(): Promise<Report> {
  const args = ["run", "-A", "--no-check", join(ROOT, SCRIPT)];
  return JSON.parse(await output(Deno.execPath(), args));
}

async function inMachine(): Promise<Report> {
  const share = await stage();
  const script = `cd project && DENO_DIR=../cache ../deno run -A --no-check ${SCRIPT}`;
  try {
    const args = ["--timeout", TIMEOUT_S, "--share", share, "--", "sh", "-c", script];
    return JSON.parse(await output(RUN, args));
  } finally {
    await Deno.remove(share, { recursive: true });
  }
}

/** What was asked for, without the braces around it. */
function asked(text: string): string {
  if (!text.startsWith("{")) return `\`${text}\``;
  return Object.entries(JSON.parse(text))
    .map(([name, value]) => `\`${name}: ${JSON.stringify(value)}\``).join(", ");
}

function isError(text: string): boolean {
  return text.startsWith("error: ");
}

/** The outcome with runts, and that with runc where it is another. */
function cell({ runts, runc }: Row): string {
  if (runts === runc || isError(runts) && isError(runc)) return runts;
  // Whole sentences of a peer are no help here.
  return `${runts} (runc: ${isError(runc) ? "error" : runc})`;
}

function table(title: string, hosts: readonly Report[], rows: (host: Report) => readonly Row[]) {
  const [first] = hosts;
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line([
      title,
      ...hosts.map(({ mode, kernel }) => `${mode}, Linux ${/^\d+\.\d+/.exec(kernel)?.[0]}`),
    ]),
    line(["---", ...hosts.map(() => "---")]),
    ...rows(first!).map((row, i) =>
      line([asked(row.asked), ...hosts.map((host) => cell(rows(host)[i]!))])
    ),
  ].join("\n");
}

/** How many fields are alike, and which are not. */
function comparison({ mode, events: { runts, runc } }: Report): string {
  const group = (name: string) => name.replace(/\.psi\..*/, ".psi");
  const names = (text: string[]) =>
    [...new Set(text.map(group))].map((name) => `\`${name}\``).join(", ") || "none";
  const only = (some: Fields, others: Fields) =>
    Object.keys(some).filter((name) => !(name in others));
  const both = Object.keys(runts).filter((name) => name in runc);
  const unlike = both.filter((name) => runts[name] !== runc[name])
    .map((name) => `${name} ${runts[name]} / ${runc[name]}`);
  return `| ${mode} | ${both.length} | ${names(only(runts, runc))} | ${
    names(only(runc, runts))
  } | ` +
    `${names(unlike)} |`;
}

async function main(): Promise<void> {
  const hosts = [await here(), await inMachine()];
  console.log(table("`linux.resources`", hosts, ({ limits }) => limits));
  console.log(`\n${table("`update`", hosts, ({ updates }) => updates)}\n`);
  console.log(
    "| `events --stats` | fields of both | of runts alone | of runc alone | other values |",
  );
  console.log("| --- | --- | --- | --- | --- |");
  for (const host of hosts) console.log(comparison(host));
}

if (import.meta.main) await main();
