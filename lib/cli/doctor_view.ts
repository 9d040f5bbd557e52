/** The text of `doctor`. */

import { oneLine } from "../base/errors.ts";
import type { Condition, Finding } from "../doctor/findings.ts";
import type { Style } from "./explain_view.ts";

const MARKS: Readonly<Record<Condition, string>> = { works: "+", note: " ", missing: "-" };

/** Findings under the names of their areas: `+` works, `-` does not, and what to do about it. */
export function doctorText(findings: readonly Finding[], style: Style): string {
  const width = Math.max(0, ...findings.map(({ name }) => name.length));
  const areas = [...new Set(findings.map(({ area }) => area))];
  const sections = areas.map((area) => {
    const own = findings.filter((finding) => finding.area === area);
    return `${style.title(area)}\n${own.map((one) => rows(one, width, style)).join("")}`;
  });
  return [...sections, `${sum(findings)}\n`].join("\n");
}

function rows({ name, condition, found, effect, remedy }: Finding, width: number, style: Style) {
  const left = " ".repeat(width + 6);
  return [
    `  ${MARKS[condition]} ${name.padEnd(width)}  ${style.faint(oneLine(found))}\n`,
    ...effect === undefined ? [] : [`${left}${oneLine(effect)}\n`],
    ...remedy === undefined ? [] : [`${left}remedy: ${oneLine(remedy)}\n`],
  ].join("");
}

function sum(findings: readonly Finding[]): string {
  const missing = findings.filter(({ condition }) => condition === "missing");
  if (missing.length === 0) return "Nothing is missing.";
  const names = missing.map(({ area, name }) => `${area}: ${name}`).join(", ");
  return `${missing.length} of ${findings.length} will not work here: ${names}`;
}
