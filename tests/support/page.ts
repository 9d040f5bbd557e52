/** Pages of the documentation, whose examples tests run. */

import { PROJECT } from "./runtime.ts";

/** What is typed, and what that prints if the page says so. */
interface Step {
  readonly script: string;
  /** With `…` for what differs. */
  readonly prints?: string;
}

/** The shell blocks of a page in their order, each with the text block behind it. */
export function stepsOf(page: string): Step[] {
  const text = Deno.readTextFileSync(`${PROJECT}/${page}`);
  const blocks = text.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms);
  return Array.from(blocks, ([, script = "", prints]) => ({
    script,
    ...(prints !== undefined && { prints }),
  }));
}

/** Whether a text is what a page says, where `…` stands for anything, other lines too. */
export function isAsSaid(said: string, text: string): boolean {
  const parts = said.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*?")}$`).test(text);
}
