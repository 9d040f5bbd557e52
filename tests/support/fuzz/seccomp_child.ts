/** Compiles profiles: each line of the standard input is one, as a JSON string. */

import { assert } from "@std/assert";
import { decodeProgram, INSTRUCTIONS_MAX } from "../../../lib/seccomp/instructions.ts";
import { describeFilter, listFilter } from "../../../lib/seccomp/explain.ts";
import { compileProfile } from "../../../lib/seccomp/compile.ts";
import { tryRules } from "../../../lib/seccomp/trial.ts";
import { parseSpec } from "../../../lib/spec/load.ts";
import type { Seccomp } from "../../../lib/spec/types/config.ts";
import { runFilter, X86, X86_64 } from "../bpf_machine.ts";
import type { Answer } from "../../fuzz/seccomp.ts";
import { checkError, isOneLine } from "./answer.ts";
import { TextLineStream } from "./lines.ts";

/** What the library has to add a rule, in ms. */
const DEADLINE = 300;

async function answer(text: string): Promise<Answer> {
  let profile: Seccomp;
  try {
    profile = parse(text);
    await tryRules(profile, false, DEADLINE);
  } catch (error) {
    const shape = checkError(error);
    return { text: shape, last: shape.includes("does not come to an end") };
  }
  try {
    const filter = compileProfile(profile, { strict: text.length % 2 === 0 });
    check(filter);
    // To look at every system call takes longer than all the rest.
    if (text.length % 8 === 0) explain(filter);
    return { text: `compiled: ${Object.keys(profile).sort()}` };
  } catch (error) {
    return { text: checkError(error) };
  }
}

/** The profile in a configuration whose listener has a receiver. */
function parse(text: string): Seccomp {
  const spec = `{"ociVersion":"1.2.0","root":{"path":"rootfs"},"annotations":` +
    `{"run.oci.seccomp.receiver":"/r"},"linux":{"seccomp":${text}\n}}`;
  const { linux } = parseSpec(spec, "config.json");
  return linux?.seccomp ?? { defaultAction: "SCMP_ACT_ALLOW" };
}

/** bpf_check_classic and seccomp_check_filter of the kernel, and some calls. */
function check(filter: Uint8Array): void {
  const program = decodeProgram(filter);
  assert(
    program.length > 0 && program.length <= INSTRUCTIONS_MAX,
    `${program.length} instructions`,
  );
  assert(program.at(-1)!.code === 0x06, "the last instruction does not return");
  for (const [at, { code, yes, no, operand }] of program.entries()) {
    if (code === 0x20) assert(operand < 64 && operand % 4 === 0, `${at}: load of ${operand}`);
    if (code === 0x06) continue;
    const far = code === 0x05 ? operand : (code & 7) === 5 ? Math.max(yes, no) : 0;
    assert(at + 1 + far < program.length, `${at}: a jump behind the end`);
  }
  for (const arch of [X86_64, X86, 0]) {
    for (const number of [0, 1, 59, 435, 0x40000001, 0xffffffff]) {
      runFilter(filter, { arch, number });
    }
  }
}

function explain(filter: Uint8Array): void {
  const whole = { flags: 0, filter, notify: false };
  for (const line of (describeFilter(whole) + listFilter(whole)).split("\n")) {
    assert(isOneLine(line), JSON.stringify(line));
  }
}

async function main(): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const reply = await answer(JSON.parse(line)).catch((error): Answer => ({
      text: "",
      fault: error instanceof Error ? error.message : String(error),
    }));
    console.log(JSON.stringify(reply));
  }
}

await main();
