/** The text and the JSON of `explain`. */

import type { Caller } from "../base/caller.ts";
import { oneLine } from "../base/errors.ts";
import type { Differences } from "../container/explain_diff.ts";
import { type Explanation, type Stage, STAGES, type Step } from "../container/explain.ts";

/** What is done where, up to the verb. */
export const TITLES: Record<Stage, string> = {
  cgroup: "Before there is a process, runts",
  host: "On the host, the first process of init",
  namespaces: "In its namespaces, the container's process",
  rootfs: "To make the root filesystem, it",
  container: "In the container, it",
};

/** How text is set off; all empty where the reader is no terminal. */
export interface Style {
  readonly title: (text: string) => string;
  readonly faint: (text: string) => string;
}

/** For a terminal (console_codes(4)). */
export const TERMINAL: Style = {
  title: (text) => `\x1b[1m${text}\x1b[22m`,
  faint: (text) => `\x1b[2m${text}\x1b[22m`,
};

export const PLAIN: Style = { title: (text) => text, faint: (text) => text };

/** How text for the standard output is set off. */
export function styleFor(caller: Caller): Style {
  const coloured = Deno.stdout.isTerminal() && caller.variable("NO_COLOR") === undefined;
  return coloured ? TERMINAL : PLAIN;
}

/** Longest column of configuration paths. */
const COLUMN = 40;

/** The steps, stage by stage, each with its number in the plan and what asks for it. */
export function explanationText(explanation: Explanation, style: Style): string {
  const { bundle, rootfs, steps, warnings } = explanation;
  const width = Math.min(COLUMN, Math.max(...steps.map(({ from }) => from.length)));
  const sections = STAGES.flatMap((stage) => {
    const own = steps.filter((step) => step.stage === stage);
    return own.length > 0 ? [sectionText(TITLES[stage], own, style, width)] : [];
  });
  const head = `bundle           ${oneLine(bundle)}\nroot filesystem  ${oneLine(rootfs)}\n`;
  const tail = warnings.map((warning) => `warning: ${oneLine(warning)}\n`).join("");
  return [head, ...sections, tail].filter((text) => text !== "").join("\n");
}

/** Steps under a title. `width`: of the column of what asks for them. */
export function sectionText(
  title: string,
  steps: readonly Step[],
  style: Style,
  width = Math.max(...steps.map(({ from }) => from.length)),
): string {
  const rows = steps.map((step) => row(step, width, style));
  return `${style.title(`${title}:`)}\n${rows.join("")}`;
}

function row({ index, from, text }: Step, width: number, { faint }: Style): string {
  const number = (index === undefined ? "" : String(index)).padStart(4);
  return `${faint(`${number}  ${oneLine(from).padEnd(width)}`)}  ${oneLine(text)}\n`;
}

/** What changes: `-` for what is gone, `+` for what is new. */
export function differencesText({ config, steps }: Differences, style: Style): string {
  const configuration = config.flatMap(({ path, before, after }) => [
    ...before === undefined ? [] : [`- ${oneLine(path)}: ${oneLine(before)}\n`],
    ...after === undefined ? [] : [`+ ${oneLine(path)}: ${oneLine(after)}\n`],
  ]);
  const width = Math.min(COLUMN, Math.max(0, ...steps.map(({ from }) => from.length)));
  const stages = STAGES.map((stage) =>
    changes(
      TITLES[stage],
      steps.filter((step) => step.stage === stage).map(({ change, from, text }) =>
        `${change === "removed" ? "-" : "+"} ${style.faint(oneLine(from).padEnd(width))}  ` +
        `${oneLine(text)}\n`
      ),
      style,
    )
  );
  return [changes("The configuration", configuration, style), ...stages]
    .filter((text) => text !== "").join("\n");
}

function changes(title: string, rows: readonly string[], style: Style): string {
  return rows.length === 0 ? "" : `${style.title(`${title}:`)}\n${rows.join("")}`;
}

/** The same for programs: every field of every operation, bytes in hexadecimal, huge numbers as text. */
export function explanationJson(explanation: unknown): string {
  return `${JSON.stringify(explanation, plain, 2)}\n`;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return value.toHex();
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
