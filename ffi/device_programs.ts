/** Device programs of cgroup v2, and eventfds: what few commands need of the helper library. */

import { O_DIRECTORY } from "../lib/base/linux.ts";
import { errnoName } from "../lib/base/errno.ts";
import { quote, RuntsError } from "../lib/base/errors.ts";
import type { Functions } from "./bind.ts";
import { check, cString, fromCString, outside } from "./call.ts";
import { type Helper, loadHelper } from "./helper.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/bpf.h states it. */
export const BPF_SYMBOLS = {
  // int32_t rts_bpf_load(const uint8_t *insns, uint32_t count, const char *name, char *log, uint32_t log_size);
  rts_bpf_load: { parameters: ["buffer", "u32", "buffer", "buffer", "u32"], result: "i32" },
  // int32_t rts_bpf_attach(int32_t cgroup, int32_t program, int32_t replaced);
  rts_bpf_attach: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int32_t rts_bpf_detach(int32_t cgroup, int32_t program);
  rts_bpf_detach: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_bpf_query(int32_t cgroup, uint32_t *ids, uint32_t capacity);
  rts_bpf_query: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_bpf_open(uint32_t id);
  rts_bpf_open: { parameters: ["u32"], result: "i32" },
  // int32_t rts_bpf_name(int32_t program, char *name);
  rts_bpf_name: { parameters: ["i32", "buffer"], result: "i32" },
  // int32_t rts_eventfd(void);
  rts_eventfd: { parameters: [], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Programs that one cgroup may have (BPF_CGROUP_MAX_PROGS). */
const MAX_PROGRAMS = 64;
/** BPF_OBJ_NAME_LEN */
const NAME_SIZE = 16;
const LOG_SIZE = 4096;

/** Calls on BPF programs. Every call throws RuntsError with an error number. */
interface Bpf {
  openDirectory(path: string): number;
  close(fd: number): void;
  /** Loads encoded instructions as a device program; gives its descriptor. */
  load(program: Uint8Array<ArrayBuffer>, name: string): number;
  /** Attaches beside other programs, or in place of one. */
  attach(cgroup: number, program: number, replaced?: number): void;
  detach(cgroup: number, program: number): void;
  /** Ids of the device programs that are attached to the cgroup itself. */
  attached(cgroup: number): number[];
  openProgram(id: number): number;
  nameOf(program: number): string;
}

async function loaded(): Promise<[Helper, Functions<typeof BPF_SYMBOLS>]> {
  return [await loadHelper(), furtherFunctions(BPF_SYMBOLS)];
}

/** A new eventfd(2), non-blocking. */
export async function makeEventfd(): Promise<number> {
  const [, functions] = await loaded();
  return check(functions.rts_eventfd(), "make an eventfd");
}

export async function loadBpf(): Promise<Bpf> {
  const [helper, functions] = await loaded();
  return {
    openDirectory: (path) => helper.open(path, O_DIRECTORY),
    close: (fd) => helper.close(fd),
    load(program, name) {
      const log = outside(LOG_SIZE);
      const count = program.length / 8;
      const fd = functions.rts_bpf_load(program, count, cString(name), log, log.length);
      if (fd < 0) throw refused(-fd, fromCString(log));
      return fd;
    },
    attach(cgroup, program, replaced = -1) {
      check(functions.rts_bpf_attach(cgroup, program, replaced), "attach a BPF program");
    },
    detach(cgroup, program) {
      check(functions.rts_bpf_detach(cgroup, program), "detach a BPF program");
    },
    attached(cgroup) {
      const ids = new Uint32Array(new ArrayBuffer(MAX_PROGRAMS * 4));
      const count = functions.rts_bpf_query(cgroup, ids, MAX_PROGRAMS);
      return [...ids.subarray(0, check(count, "list BPF programs"))];
    },
    openProgram: (id) => check(functions.rts_bpf_open(id), `open BPF program ${id}`),
    nameOf(program) {
      const name = outside(NAME_SIZE);
      check(functions.rts_bpf_name(program, name), "name a BPF program");
      return fromCString(name);
    },
  };
}

function refused(errno: number, log: string): RuntsError {
  const last = log.trim().split("\n").at(-1);
  return new RuntsError("load a BPF program", {
    errno,
    ...(last ? { hint: `the verifier says ${quote(last)}` } : hintOf(errno)),
  });
}

function hintOf(errno: number): { hint?: string } {
  return errnoName(errno) === "EPERM" ? { hint: "it takes CAP_BPF or CAP_SYS_ADMIN" } : {};
}
