/** Reports in JUnit's format as `deno test` writes them, and their sum over several hosts. */

import type { Count } from "./count.ts";

/** How one test ended on one host. */
export interface Result {
  /** Where it ran. */
  readonly host: string;
  /** Path of the file, relative to the project. */
  readonly file: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "ignored";
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function plain(text: string): string {
  return text.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity]!);
}

/** Reads one report or several after one another. */
export function parseReport(xml: string, host: string): Result[] {
  const cases = xml.matchAll(
    /<testcase name="([^"]*)" classname="(?:\.\/)?([^"]*)"[^>]*>\s*(<skipped|<failure|<error)?/g,
  );
  return Array.from(cases, ([, name = "", file = "", mark]) => ({
    host,
    file: plain(file),
    name: plain(name),
    outcome: mark === undefined ? "passed" : mark === "<skipped" ? "ignored" : "failed",
  }));
}

/** Tests that no host ran, as "FILE: NAME". */
export function unrun(results: readonly Result[]): string[] {
  const keyOf = ({ file, name }: Result) => `${file}: ${name}`;
  const ran = new Set(results.filter(({ outcome }) => outcome !== "ignored").map(keyOf));
  return [...new Set(results.map(keyOf))].filter((key) => !ran.has(key));
}

/** Counts each run; skipped is what no host ran. */
export function countResults(results: readonly Result[]): Count {
  const count = (outcome: Result["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), skipped: unrun(results).length };
}

/** A table of how many tests each host ran and ignored. */
export function hostTable(results: readonly Result[]): string {
  const hosts = [...new Set(results.map(({ host }) => host))];
  const rows = hosts.map((host) => {
    const { passed, failed, skipped } = countResults(results.filter((one) => one.host === host));
    return [host, String(passed + failed), String(skipped)];
  });
  const width = Math.max(...hosts.map(({ length }) => length), "host".length);
  const line = ([host = "", ran = "", ignored = ""]: string[]) =>
    `${host.padEnd(width)}  ${ran.padStart(5)}  ${ignored.padStart(7)}`;
  return [["host", "ran", "ignored"], ...rows].map(line).join("\n");
}
