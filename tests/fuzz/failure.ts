/** Records of init, which tell of what hostile programs and root filesystems hold: never but words. */

import { assert } from "@std/assert";
import { describeFailure, type RememberedOp } from "../../lib/plan/failure.ts";
import type { Op } from "../../lib/wire/ops.ts";
import { Message, parseRecord, RECORD_HEADER } from "../../lib/wire/messages.ts";
import { planOf } from "../support/plan.ts";
import { checkError } from "../support/fuzz/answer.ts";
import { mutateText } from "../support/fuzz/mutate_text.ts";
import type { Target } from "../support/fuzz/target.ts";

/** What init has room for, in bytes. */
const DETAIL = 4096;

/** An input is `OP ERRNO DETAIL`: the name of an operation, a number, UTF-8 text. */
export function failure(): Target {
  const hook = { path: "/h", args: ["h"], timeout: 1 };
  const { ops } = planOf({ hooks: { createContainer: [hook], startContainer: [hook] } });
  return {
    name: "failure",
    seeds: seeds(),
    attempt: (input) => attempt(ops, input),
    mutate: (random, input) => {
      let changed = mutateText(random, input);
      while (random.oneIn(2)) changed = mutateText(random, changed);
      return random.oneIn(4) ? changed.replace(/^\S+/, random.pick(ops).op) : changed;
    },
  };
}

function seeds(): string[] {
  const elf = "\x7fELF\x02\x01\x01".padEnd(1024, "\0");
  return [
    'mount 1 mount "proc" on "/proc"',
    "find_program 13 find program\0/bin/sh\0/bin\0noexec",
    "find_program 2 find program\0sh",
    "exec 8 execute\0/bin/x\0plain text",
    "exec 2 execute\0/bin/x\0#!/bin/none\r\nexit",
    `exec 2 execute\0/bin/x\0${elf}/lib64/ld-linux-x86-64.so.2`,
    `exec 8 execute\0/bin/x\0${elf.replace("ELF\x02", "ELF\x01")}`,
    "hook 0 exit status 1 after 3 ms: stderr: no",
    "chdir 2 enter directory",
    "set_ids 22 become user 1",
  ];
}

function attempt(ops: readonly Op[], input: string): string {
  const [, name = "", errno = "", detail = ""] = /^(\S*) ?(\S*) ?(.*)$/s.exec(input) ?? [];
  const text = new TextEncoder().encode(detail).subarray(0, DETAIL);
  const bytes = new Uint8Array(RECORD_HEADER + text.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, Message.failed, true);
  view.setInt32(4, ops.findLastIndex(({ op }) => op === name), true);
  view.setInt32(8, Number(errno), true);
  bytes.set(text, RECORD_HEADER);
  const record = parseRecord(bytes);
  const error = describeFailure(record, ops);
  assert(error.message !== "");
  // What start knows of the operations is what the status has kept.
  const remembered = ops.map(({ op, from }, index): RememberedOp => ({ index, op, from }));
  const later = describeFailure(record, remembered);
  // Each byte can become six characters.
  return `${checkError(error, 7 * DETAIL)} | ${checkError(later, 7 * DETAIL)}`;
}
