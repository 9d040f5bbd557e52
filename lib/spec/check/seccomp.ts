/** config-linux.md, "Seccomp": what `linux.seccomp` must be. */

import type { Walk } from "./findings.ts";
import {
  SECCOMP_ACTIONS,
  SECCOMP_ARCHES,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
} from "../values/names.ts";
import { type ObjectSchema, someText, text, uint16, uint64, whole } from "./schema.ts";
import type { Seccomp } from "../types/config.ts";

/** The return value of these carries a number (seccomp(2), SECCOMP_RET_DATA). */
const WITH_ERRNO: readonly unknown[] = ["SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"];

const ARGUMENT: ObjectSchema = {
  required: ["index", "value", "op"],
  fields: {
    index: whole(0, 5),
    value: uint64,
    valueTwo: uint64,
    op: { names: SECCOMP_OPERATORS },
  },
};

const SYSCALLS: ObjectSchema = {
  required: ["names", "action"],
  fields: {
    names: { items: someText, least: 1 },
    action: { names: SECCOMP_ACTIONS },
    errnoRet: uint16,
    args: { items: ARGUMENT },
  },
  rules: [{
    of: ["action", "errnoRet"],
    check({ action, errnoRet }, walk) {
      errnoFits(action, errnoRet, "errnoRet", walk);
    },
  }],
};

/** `linux.seccomp`. */
export const SECCOMP: ObjectSchema = {
  required: ["defaultAction"],
  fields: {
    defaultAction: { names: SECCOMP_ACTIONS },
    defaultErrnoRet: uint16,
    architectures: { items: { names: SECCOMP_ARCHES } },
    flags: { items: { names: SECCOMP_FLAGS } },
    listenerPath: text,
    listenerMetadata: text,
    syscalls: { items: SYSCALLS },
  },
  rules: [
    {
      of: ["defaultAction", "defaultErrnoRet"],
      check({ defaultAction, defaultErrnoRet }, walk) {
        errnoFits(defaultAction, defaultErrnoRet, "defaultErrnoRet", walk);
      },
    },
    { of: ["listenerPath", "listenerMetadata"], check: metadataFits },
    { of: ["defaultAction", "syscalls", "listenerPath"], check: listenerNamed },
  ],
};

function errnoFits(action: unknown, errno: unknown, key: string, walk: Walk): void {
  if (errno === undefined || errno === null || WITH_ERRNO.includes(action)) return;
  walk.report("combination", errno, `has no meaning for ${action}`, key);
}

function metadataFits({ listenerPath, listenerMetadata }: Seccomp, walk: Walk): void {
  if (listenerMetadata && !listenerPath) {
    walk.report("combination", listenerMetadata, "needs listenerPath", "listenerMetadata");
  }
}

/** Nobody could answer for a process that waits for its very first system calls. */
function listenerNamed(seccomp: Seccomp, walk: Walk): void {
  const notify = "SCMP_ACT_NOTIFY";
  if (seccomp.defaultAction === notify) {
    walk.report("combination", notify, "cannot be the default", "defaultAction");
  }
  if (seccomp.listenerPath || walk.seccompReceiver) return;
  const index = seccomp.syscalls?.findIndex((rule) => rule.action === notify) ?? -1;
  if (index < 0) return;
  walk.report(
    "combination",
    notify,
    "needs linux.seccomp.listenerPath",
    "syscalls",
    index,
    "action",
  );
}
