/** The page of `explain --html`: steps and configuration with links both ways, mounts as a tree, the filter. */

import type { ExplainedPage } from "../container/explain_page.ts";
import { STAGES, type Step } from "../container/explain.ts";
import { isWithin, normalize } from "../base/paths.ts";
import { jsonPath } from "../spec/check/findings.ts";
import { isObject } from "../spec/json/exact.ts";
import type { Mount, Spec } from "../spec/types/config.ts";
import { TITLES } from "./explain_view.ts";
import { escapeHtml, escapeLines, htmlPage } from "./html.ts";

/** Lists that are longer are folded at first. */
const FOLDED = 24;

/** The whole page. */
export function explanationHtml(page: ExplainedPage): string {
  const { id, bundle, rootfs, warnings, steps, spec, seccomp } = page;
  const places = new Places(steps, spec);
  const body = [
    `<p>bundle <code>${escapeHtml(bundle)}</code><br>root filesystem <code>${
      escapeHtml(rootfs)
    }</code></p>`,
    ...warnings.map((text) => `<p class="bad">warning: ${escapeHtml(text)}</p>`),
    `<nav><a href="#plan">plan</a> · <a href="#mounts">mounts</a> · <a href="#seccomp">` +
    `system calls</a> · <a href="#config">configuration</a></nav>`,
    `<h2 id="plan">What create does</h2>`,
    ...STAGES.map((stage) => stageHtml(TITLES[stage], steps, stage, places)),
    `<h2 id="mounts">Mounts</h2>`,
    mountsHtml(spec.mounts ?? [], spec.root.path, places),
    `<h2 id="seccomp">System calls</h2>`,
    seccomp === undefined
      ? "<p>There is no filter: all are allowed.</p>"
      : `<pre>${escapeLines(seccomp)}</pre>`,
    `<h2 id="config">Configuration</h2>`,
    `<div class="mono">${valueHtml(spec, [], places)}</div>`,
  ];
  return htmlPage({ title: `What create of "${id}" would do`, body: body.join("\n") });
}

/** Which step is asked for by which part of the configuration, and the way back. */
class Places {
  readonly #steps = new Map<string, number[]>();
  readonly #written = new Set<string>();

  constructor(readonly steps: readonly Step[], spec: Spec) {
    this.#walk(spec, []);
    for (const [number, { from }] of steps.entries()) {
      if (from === "") continue;
      this.#steps.set(from, [...this.#steps.get(from) ?? [], number]);
    }
  }

  #walk(value: unknown, keys: Keys): void {
    this.#written.add(jsonPath(keys));
    for (const [key, part] of entriesOf(value)) this.#walk(part, [...keys, key]);
  }

  /** A path as a link to what is written there, or to what it would be in. */
  linkTo(from: string): string {
    let place = from;
    while (place !== "" && !this.#written.has(place)) place = place.replace(/(^|\.|\[)[^.[]*$/, "");
    const text = `<span class="mono">${escapeHtml(from)}</span>`;
    return place === "" ? text : `<a href="#${anchor(place)}">${text}</a>`;
  }

  /** Links to the steps that a place asks for. */
  stepsOf(path: string): string {
    const links = (this.#steps.get(path) ?? []).map((number) =>
      `<a href="#step-${number}">${this.steps[number]!.index ?? "·"}</a>`
    );
    return links.length === 0 ? "" : ` <span class="faint">→ ${links.join(" ")}</span>`;
  }
}

function stageHtml(
  title: string,
  steps: readonly Step[],
  stage: Step["stage"],
  places: Places,
): string {
  const rows = [...steps.entries()].filter(([, step]) => step.stage === stage)
    .map(([number, { index, from, text }]) =>
      `<tr id="step-${number}"><td class="faint">${index ?? ""}</td><td>${
        places.linkTo(from)
      }</td>` +
      `<td>${escapeHtml(text)}</td></tr>`
    );
  return rows.length === 0 ? "" : `<h3>${escapeHtml(title)}</h3><table>${rows.join("\n")}</table>`;
}

/** A mount with those below it. */
interface Node {
  readonly mount: Mount;
  readonly index: number;
  readonly path: string;
  readonly below: Node[];
}

function mountsHtml(mounts: readonly Mount[], root: string, places: Places): string {
  const top: Node[] = [];
  for (const [index, mount] of mounts.entries()) {
    const path = normalize(mount.destination) || "/";
    let level = top;
    for (
      let parent;
      (parent = level.findLast((one) => isWithin(path, one.path) && one.path !== path));
    ) {
      level = parent.below;
    }
    level.push({ mount, index, path, below: [] });
  }
  return `<ul><li><code>/</code> <span class="faint">${escapeHtml(root)}</span>${
    listHtml(top, places)
  }</li></ul>`;
}

function listHtml(nodes: readonly Node[], places: Places): string {
  if (nodes.length === 0) return "";
  const items = nodes.map(({ mount, index, path, below }) => {
    const { type = "bind", source = "", options = [] } = mount;
    const told = [type, source, options.join(",")].filter((text) => text !== "").join("  ");
    return `<li><code>${escapeHtml(path)}</code> ${places.linkTo(`mounts[${index}]`)} ` +
      `<span class="faint">${escapeHtml(told)}</span>${places.stepsOf(`mounts[${index}]`)}` +
      `${listHtml(below, places)}</li>`;
  });
  return `<ul>${items.join("\n")}</ul>`;
}

type Keys = readonly (string | number)[];

/** What is in a value of JSON. */
function entriesOf(value: unknown): [key: string | number, part: unknown][] {
  if (Array.isArray(value)) return value.map((part, index) => [index, part]);
  return isObject(value) ? Object.entries(value) : [];
}

/** The id of what is written at a path. */
function anchor(path: string): string {
  return `config-${encodeURIComponent(path.toWellFormed())}`;
}

/** A value of the configuration, with what it asks for. */
function valueHtml(value: unknown, keys: Keys, places: Places): string {
  const items = entriesOf(value).map(([key, part]) => {
    const below = [...keys, key];
    const path = jsonPath(below);
    const name = `<span id="${anchor(path)}">${escapeHtml(String(key))}</span>`;
    const steps = places.stepsOf(path);
    if (!isBranch(part)) return `<li>${name}: ${leafHtml(part)}${steps}</li>`;
    const open = sizeOf(part) <= FOLDED ? " open" : "";
    return `<li><details${open}><summary>${name}${steps}</summary>${
      valueHtml(part, below, places)
    }</details></li>`;
  });
  return `<ul>${items.join("\n")}</ul>`;
}

function isBranch(value: unknown): boolean {
  return (Array.isArray(value) || isObject(value)) && Object.keys(value).length > 0;
}

/** How many leaves it has. */
function sizeOf(value: unknown): number {
  if (!isBranch(value)) return 1;
  return Object.values(value as object).reduce((sum: number, part) => sum + sizeOf(part), 0);
}

function leafHtml(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value) ?? "";
  return escapeHtml(text);
}
