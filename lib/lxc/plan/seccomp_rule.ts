/** One rule of a profile of version 2: `NAME [ACTION] [\[ARG,VALUE,OP[,MASK]\]…]`. */

import { errnoNumber } from "../../base/errno.ts";
import { nearest } from "../../base/nearest.ts";
import type { SeccompAction, SeccompArg, SeccompOperator } from "../../spec/types/config.ts";
import { faultText, guessText } from "../config/place.ts";

/** What is done. */
export interface RuleAction {
  readonly action: SeccompAction;
  readonly errnoRet?: number;
}

/** One rule. */
interface ParsedRule extends Partial<RuleAction> {
  readonly name: string;
  readonly args: readonly SeccompArg[];
}

const ACTIONS: Readonly<Record<string, SeccompAction>> = {
  kill: "SCMP_ACT_KILL",
  errno: "SCMP_ACT_ERRNO",
  trap: "SCMP_ACT_TRAP",
  allow: "SCMP_ACT_ALLOW",
  notify: "SCMP_ACT_NOTIFY",
};

const OPERATORS: Readonly<Record<string, SeccompOperator>> = {
  "!=": "SCMP_CMP_NE",
  "<": "SCMP_CMP_LT",
  "<=": "SCMP_CMP_LE",
  "==": "SCMP_CMP_EQ",
  ">=": "SCMP_CMP_GE",
  ">": "SCMP_CMP_GT",
  "&=": "SCMP_CMP_MASKED_EQ",
};

type Fault = { readonly fault: string };

/** Reads a rule, or says what is wrong with it. */
export function parseRule(text: string): { readonly rule: ParsedRule } | Fault {
  const conditions = text.match(/\[[^\]]*\]/g) ?? [];
  const [name = "", ...words] = text.replace(/\[[^\]]*\]/g, " ").trim().split(/\s+/);
  if (!/^\w+$/.test(name)) return { fault: faultText(text, "is not a rule: NAME [ACTION]") };
  const action = parseAction(words);
  if ("fault" in action) return action;
  const args: SeccompArg[] = [];
  for (const condition of conditions) {
    const arg = parseCondition(condition);
    if ("fault" in arg) return arg;
    args.push(arg);
  }
  return { rule: { name, ...action, args } };
}

const ERRNO_MAX = 4095;

function parseAction(words: readonly string[]): Partial<RuleAction> | Fault {
  const [word, number, ...rest] = words;
  if (word === undefined) return {};
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) {
    const names = Object.keys(ACTIONS);
    const near = guessText(nearest(word, names));
    return { fault: faultText(word, `is not one of ${names.join(", ")}`, near) };
  }
  if (rest.length > 0 || (number !== undefined && word !== "errno")) {
    return { fault: faultText(rest[0] ?? number!, "does not belong into a rule") };
  }
  if (word !== "errno") return { action };
  const errnoRet = /^\d{1,4}$/.test(number ?? "") ? Number(number) : errnoNumber(number ?? "");
  if (errnoRet === undefined || errnoRet > ERRNO_MAX) {
    const fault = `is not an error number from 0 to ${ERRNO_MAX}`;
    return { fault: faultText(number ?? "", fault) };
  }
  return { action, errnoRet };
}

/** `[0,1,SCMP_CMP_EQ]`, `[1,4096,&=,4096]`: argument, value, operator, mask. */
function parseCondition(text: string): SeccompArg | Fault {
  const [index = "", value = "", word = "", mask, ...rest] = text.slice(1, -1).split(",")
    .map((part) => part.trim());
  const op = Object.hasOwn(OPERATORS, word)
    ? OPERATORS[word]
    : Object.values(OPERATORS).find((name) => name === word);
  if (!/^[0-5]$/.test(index)) {
    return { fault: faultText(index, "is not the number of an argument from 0 to 5") };
  }
  if (op === undefined) {
    const names = [...Object.keys(OPERATORS), ...Object.values(OPERATORS)];
    const fault = `is not one of ${names.join(", ")}`;
    return { fault: faultText(word, fault, guessText(nearest(word, names))) };
  }
  if (rest.length > 0) return { fault: faultText(text, "has too many parts") };
  for (const number of mask === undefined ? [value] : [value, mask]) {
    if (!/^(?:\d{1,20}|0x[\da-f]{1,16})$/i.test(number)) {
      return { fault: faultText(number, "is not a number") };
    }
  }
  const isMasked = op === "SCMP_CMP_MASKED_EQ";
  if (isMasked !== (mask !== undefined)) {
    return { fault: faultText(text, isMasked ? "has no mask" : "has a mask that is not used") };
  }
  // The specification has the mask first, and what is compared with it second.
  return isMasked
    ? { index: Number(index), value: BigInt(mask!), valueTwo: BigInt(value), op }
    : { index: Number(index), value: BigInt(value), op };
}
