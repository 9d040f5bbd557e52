/** The command line that containerd gives to a shim: flags as Go takes them, then a verb. */

import { quote, RuntsError } from "../base/errors.ts";

/** What a shim is called with. */
export interface ShimArguments {
  readonly verb: string;
  /** Id of a container. */
  readonly id: string;
  readonly namespace: string;
  /** Path of containerd's socket. */
  readonly address: string;
  /** Empty for `start`, whose bundle is the working directory. */
  readonly bundle: string;
  readonly version: boolean;
  readonly info: boolean;
}

const WITH_VALUE = ["id", "namespace", "address", "bundle", "publish-binary", "socket"];
const VERBS = ["start", "delete"];
const WITHOUT_VALUE = ["debug", "v", "info"];

/** `-x v`, `-x=v` and `--x v` are one; what comes behind the verb is not looked at. */
export function shimArguments(words: readonly string[]): ShimArguments {
  const values = new Map<string, string>();
  let at = 0;
  for (; at < words.length && words[at]!.startsWith("-"); at++) {
    const [, name = "", equals] = /^--?([\w-]+)(=.*)?$/s.exec(words[at]!) ?? [];
    if (WITHOUT_VALUE.includes(name)) values.set(name, equals?.slice(1) ?? "true");
    else if (!WITH_VALUE.includes(name)) {
      throw new RuntsError(`the option ${quote(words[at])} is not known`);
    } else if (equals !== undefined) values.set(name, equals.slice(1));
    else if (at + 1 < words.length) values.set(name, words[++at]!);
    else throw new RuntsError(`the option ${quote(words[at])} has no value`);
  }
  const text = (name: string) => values.get(name) ?? "";
  const verb = words[at] ?? "";
  const asks = text("v") === "true" || text("info") === "true";
  if (!asks && !VERBS.includes(verb)) throw new RuntsError(`the verb ${quote(verb)} is not known`);
  return {
    verb,
    id: text("id"),
    namespace: text("namespace"),
    address: text("address"),
    bundle: text("bundle"),
    version: text("v") === "true",
    info: text("info") === "true",
  };
}
