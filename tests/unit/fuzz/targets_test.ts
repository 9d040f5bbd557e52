/** A short run of every target of tests/fuzz, the same at every time; `deno task fuzz` runs longer. */

import { assert } from "@std/assert";
import { commandLine } from "../../fuzz/command_line.ts";
import { config } from "../../fuzz/config.ts";
import { failure } from "../../fuzz/failure.ts";
import { process } from "../../fuzz/process.ts";
import { seccomp } from "../../fuzz/seccomp.ts";
import { status } from "../../fuzz/status.ts";
import { fuzz, type Target } from "../../support/fuzz/target.ts";

const SEED = 1;

function short(open: () => Target, runs: number): void {
  Deno.test(`fuzz: ${runs} inputs of ${open.name}, seed ${SEED}`, async () => {
    const target = open();
    try {
      const { answers } = await fuzz(target, SEED, { runs });
      // Else it has become blind.
      assert(answers.size > runs / 40, `only ${answers.size} different answers`);
    } finally {
      await target.close?.();
    }
  });
}

short(config, 1200);
short(process, 1000);
short(commandLine, 3000);
short(failure, 2000);
short(status, 300);
short(seccomp, 150);
