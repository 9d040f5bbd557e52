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
  /** What a failed one says, without the lines below the first. */
  readonly message?: string;
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

/**
 * Results out of the report of one file. `success`: of the process, which may have crashed, or
 * not have come to a report at all.
 */
export function parseReport(
  xml: string,
  { host, file, success }: { host: string; file: string; success: boolean },
): Result[] {
  // A test's own class is the file that registers it, which may be one of tests/support.
  const cases = xml.matchAll(
    /<testcase name="([^"]*)"[^>]*>\s*(?:(<skipped|<failure|<error)(?: message="([^"]*)")?)?/g,
  );
  const results = Array.from(cases, ([, name = "", mark, message]): Result => ({
    host,
    file,
    name: plain(name),
    outcome: mark === undefined ? "passed" : mark === "<skipped" ? "ignored" : "failed",
    ...(message !== undefined && { message: plain(message).split("\n", 1)[0] }),
  }));
  if (!success && !results.some(({ outcome }) => outcome === "failed")) {
    results.push({ host, file, name: "ends well", outcome: "failed" });
  }
  return results;
}

/** Tests that no host ran, as "FILE: NAME". */
export function unrun(results: readonly Result[]): string[] {
  const keyOf = ({ file, name }: Result) => `${file}: ${name}`;
  const ran = new Set(results.filter(({ outcome }) => outcome !== "ignored").map(keyOf));
  return [...new Set(results.map(keyOf))].filter((key) => !ran.has(key));
}

/** Tests that failed, as "FILE: NAME (HOST): MESSAGE". */
export function failures(results: readonly Result[]): string[] {
  return results.filter(({ outcome }) => outcome === "failed")
    .map(({ file, name, host, message = "" }) => `${file}: ${name} (${host}): ${message}`);
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
