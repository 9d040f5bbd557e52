/** Whether and when a container is started anew after its end. Nothing here looks at a clock. */

import { quote, RuntsError } from "../base/errors.ts";
import { RESTART_POLICIES, type RestartRule } from "../state/supervised.ts";

/** Milliseconds before the first restart of a row, unless somebody chose another time. */
export const FIRST_DELAY = 100;
/** The longest delay, in ms. */
const DELAY_MAX = 60_000;
/** A container that has run for this long, in ms, begins a new row. */
const RUNS_WELL = 10_000;

const FORM = 'as "no", "on-failure", "on-failure:3", "always" or "unless-stopped"';

/** `on-failure:3`. Throws RuntsError that names `what`. */
export function parseRestart(what: string, text: string, delay = FIRST_DELAY): RestartRule {
  const [word, number, ...more] = text.split(":");
  const policy = RESTART_POLICIES.find((one) => one === word);
  const counted = number === undefined ||
    (policy === "on-failure" && /^[1-9]\d{0,8}$/.test(number) && more.length === 0);
  if (policy === undefined || !counted) {
    throw new RuntsError(`${what}: ${quote(text)} is not a restart policy`, { hint: FORM });
  }
  return { policy, ...(number !== undefined && { most: Number(number) }), delay };
}

/** A rule as {@linkcode parseRestart} reads it. */
export function formatRestart({ policy, most }: RestartRule): string {
  return most === undefined ? policy : `${policy}:${most}`;
}

/** What is known of a container that has ended. */
interface Past {
  readonly restart: RestartRule;
  /** How often it was started anew. */
  readonly restarts: number;
  /** The last delay, in ms; 0 when there was none. */
  readonly lastDelay: number;
  /** Whether a user has stopped it. */
  readonly stoppedByHand: boolean;
}

/** How it ended; nothing where that is lost, which counts as a failure. */
interface End {
  readonly code?: number;
  /** How long it ran, in ms. */
  readonly ran: number;
}

/** The delay of its restart in ms; undefined when it stays as it is. */
export function restartDelay(past: Past, { code, ran }: End): number | undefined {
  const { restart: { policy, most = Infinity, delay }, restarts } = past;
  if (past.stoppedByHand || policy === "no") return undefined;
  if (policy === "on-failure" && (code === 0 || restarts >= most)) return undefined;
  if (past.lastDelay === 0 || ran >= RUNS_WELL) return Math.min(delay, DELAY_MAX);
  return Math.min(Math.max(past.lastDelay, delay) * 2, DELAY_MAX);
}
