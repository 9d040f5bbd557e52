/** What there is to complete, in the form that the scripts of all shells are made from. */

import type { Argument, Completion } from "./types.ts";

/** What a shell is to offer: one of these words, or things of a kind. */
export type Offer = readonly string[] | Exclude<Completion, "signal" | "command">;

export interface OptionOffer {
  /** With dashes: `--bundle`. */
  readonly long: string;
  /** With a dash each: `-b`. */
  readonly shorts: readonly string[];
  /** What its value may be; absent for a flag. */
  readonly value?: Offer;
  readonly repeat: boolean;
  readonly description: string;
}

export interface ArgumentOffer {
  readonly name: string;
  readonly offer: Offer;
  readonly rest: Argument["rest"];
}

export interface CommandOffer {
  readonly name: string;
  readonly summary: string;
  /** Options of its own. */
  readonly options: readonly OptionOffer[];
  /** Global options that it does not hide. */
  readonly globals: readonly OptionOffer[];
  readonly arguments: readonly ArgumentOffer[];
}

/** What the scripts are made from. */
export interface Offers {
  /** The options before the verb. */
  readonly globals: readonly OptionOffer[];
  /** Those of them that may stand after it. */
  readonly late: readonly OptionOffer[];
  /** Names of the commands that have others below them, whose names begin with theirs. */
  readonly families: readonly string[];
  readonly commands: readonly CommandOffer[];
}
