/** LXC's profiles of system calls (lxc.container.conf(5), "SECCOMP CONFIGURATION"). */

import { EACCES } from "../../base/errno.ts";
import { nearest } from "../../base/nearest.ts";
import type { Seccomp, SeccompArch, SeccompRule } from "../../spec/types/config.ts";
import { faultText, type Finding, guessText, type Place } from "../config/place.ts";
import type { LxcHost, NamedFile } from "./draft.ts";
import { parseRule, type RuleAction } from "./seccomp_rule.ts";

/** A profile as linux.seccomp has it, the line of each rule, and what is to be said of it. */
interface Profile {
  readonly seccomp: Seccomp;
  /** In the order of `seccomp.syscalls`. */
  readonly places: readonly Place[];
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Sections of the file, and the architectures of their rules. */
const SECTIONS: Readonly<Record<string, readonly SeccompArch[]>> = {
  x86: ["SCMP_ARCH_X86"],
  i386: ["SCMP_ARCH_X86"],
  x86_64: ["SCMP_ARCH_X86_64"],
  x32: ["SCMP_ARCH_X32"],
  arm: ["SCMP_ARCH_ARM"],
  arm64: ["SCMP_ARCH_AARCH64"],
  loongarch64: ["SCMP_ARCH_LOONGARCH64"],
  mips: ["SCMP_ARCH_MIPS"],
  mips64: ["SCMP_ARCH_MIPS64"],
  mips64n32: ["SCMP_ARCH_MIPS64N32"],
  mipsel: ["SCMP_ARCH_MIPSEL"],
  mipsel64: ["SCMP_ARCH_MIPSEL64"],
  mipsel64n32: ["SCMP_ARCH_MIPSEL64N32"],
  ppc: ["SCMP_ARCH_PPC"],
  ppc64: ["SCMP_ARCH_PPC64"],
  ppc64le: ["SCMP_ARCH_PPC64LE"],
  riscv64: ["SCMP_ARCH_RISCV64"],
  s390: ["SCMP_ARCH_S390"],
  s390x: ["SCMP_ARCH_S390X"],
};

/** MNT_FORCE of umount2(2). */
const FORCE = 1;

const LISTS: Readonly<Record<string, "allow" | "deny">> = {
  allowlist: "allow",
  whitelist: "allow",
  denylist: "deny",
  blacklist: "deny",
};

class Reader {
  readonly rules: SeccompRule[] = [];
  readonly places: Place[] = [];
  readonly findings: Finding[] = [];
  readonly warnings: Finding[] = [];
  list: "allow" | "deny" = "allow";
  /** What a rule does that says nothing. */
  action: RuleAction = { action: "SCMP_ACT_ALLOW" };
  /** What becomes of what no rule names. */
  otherwise: RuleAction = { action: "SCMP_ACT_KILL" };
  #section: string = "all";

  constructor(private readonly path: string, private readonly host: LxcHost) {}

  at(line: number): Place {
    return { file: this.path, line, key: "" };
  }

  fail(line: number, message: string): void {
    this.findings.push({ at: this.at(line), message });
  }

  /** `denylist errno 1`: what is listed, and what becomes of all else. */
  kind(text: string, line: number): void {
    const [word = "", ...rest] = text.split(/\s+/);
    const list = Object.hasOwn(LISTS, word) ? LISTS[word] : undefined;
    if (list === undefined) {
      const near = guessText(nearest(word, Object.keys(LISTS)));
      return this.fail(line, faultText(word, "is neither allowlist nor denylist", near));
    }
    this.list = list;
    if (list === "deny") {
      [this.action, this.otherwise] = [this.otherwise, { action: "SCMP_ACT_ALLOW" }];
    }
    const given = rest.join(" ");
    if (given === "") return;
    const parsed = parseRule(`x ${given}`);
    if ("fault" in parsed) this.fail(line, parsed.fault);
    else if (parsed.rule.action !== undefined) this.otherwise = parsed.rule as RuleAction;
  }

  /** A rule or the name of a section. */
  rule(text: string, line: number): void {
    const section = /^\[(.*)\]$/.exec(text)?.[1];
    if (section !== undefined) return this.section(section.trim().toLowerCase(), line);
    if (!this.counts(line)) return;
    if (text === "reject_force_umount" || text === "reject_force_umount 1") {
      return this.add({
        names: ["umount2"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: EACCES,
        args: [{ index: 1, value: FORCE, valueTwo: FORCE, op: "SCMP_CMP_MASKED_EQ" }],
      }, line);
    }
    const parsed = parseRule(text);
    if ("fault" in parsed) return this.fail(line, parsed.fault);
    const { name, action, errnoRet, args } = parsed.rule;
    const what = action === undefined
      ? this.action
      : { action, ...(errnoRet !== undefined && { errnoRet }) };
    this.add({ names: [name], ...what, ...(args.length > 0 && { args }) }, line);
  }

  /** A line of version 1: a number. */
  number(text: string, line: number): void {
    const number = /^\d{1,5}$/.test(text) ? Number(text) : -1;
    const name = number < 0 ? undefined : this.host.systemCall(number);
    if (name === undefined) {
      return this.fail(line, faultText(text, "is not the number of a system call"));
    }
    this.add({ names: [name], action: "SCMP_ACT_ALLOW" }, line);
  }

  add(rule: SeccompRule, line: number): void {
    this.rules.push(rule);
    this.places.push(this.at(line));
  }

  section(name: string, line: number): void {
    this.#section = name;
    if (name === "all" || Object.hasOwn(SECTIONS, name)) return;
    const near = guessText(nearest(name, ["all", ...Object.keys(SECTIONS)]));
    this.fail(line, faultText(name, "is not an architecture", near));
  }

  /** Whether the rules of this section are for this host; those of one architecture become everybody's. */
  counts(line: number): boolean {
    if (this.#section === "all") return true;
    const own = SECTIONS[this.#section] ?? [];
    if (!own.some((arch) => this.host.architectures.includes(arch))) return false;
    if (this.host.architectures.length > 1) {
      const message = `[${this.#section}]: the rule holds for every architecture of this host`;
      this.warnings.push({ at: this.at(line), message });
    }
    return true;
  }
}

/** Reads a profile of version 1 or 2. */
export function readProfile({ path, text }: NamedFile, host: LxcHost): Profile {
  const reader = new Reader(path, host);
  const lines = text.split("\n").map((line, index) => ({
    number: index + 1,
    text: line.replace(/#.*$/, "").trim(),
  })).filter((line) => line.text !== "");
  const [first, second, ...rest] = lines;
  if (first === undefined) reader.fail(1, "is empty: the first line is the version, 1 or 2");
  else if (first.text !== "1" && first.text !== "2") {
    reader.fail(first.number, faultText(first.text, "is not a version", "1 or 2"));
  } else if (second === undefined) {
    reader.fail(first.number, 'the second line is missing: "allowlist" or "denylist"');
  } else {
    reader.kind(second.text, second.number);
    if (first.text === "1" && reader.list === "deny") {
      reader.fail(second.number, "version 1 has allowlists only");
    }
    for (const line of rest) {
      if (first.text === "1") reader.number(line.text, line.number);
      else reader.rule(line.text, line.number);
    }
  }
  const { rules, places, findings, warnings, otherwise } = reader;
  return { seccomp: document(rules, otherwise, host), places, findings, warnings };
}

function document(
  syscalls: readonly SeccompRule[],
  { action, errnoRet }: RuleAction,
  { architectures }: LxcHost,
): Seccomp {
  return {
    defaultAction: action,
    ...(errnoRet !== undefined && { defaultErrnoRet: errnoRet }),
    architectures,
    ...(syscalls.length > 0 && { syscalls }),
  };
}
