import { assertEquals } from "@std/assert";
import {
  explanationJson,
  explanationText,
  PLAIN,
  TERMINAL,
} from "../../../lib/cli/explain_view.ts";
import type { Explanation } from "../../../lib/container/explain.ts";

const explanation = {
  bundle: "/b",
  rootfs: "/b/rootfs",
  steps: [
    { stage: "cgroup", from: "", text: "make /c" },
    { stage: "host", from: "linux.namespaces", text: "clone", index: 0, op: { op: "clone" } },
    {
      stage: "container",
      from: "process.args",
      text: "execute",
      index: 1,
      op: { op: "exec", filter: new Uint8Array([1, 255]), mask: 2n ** 63n, size: 5n },
    },
  ],
  warnings: ["no such capability"],
} as unknown as Explanation;

Deno.test("explanationText() shows the steps stage by stage", () => {
  assertEquals(
    explanationText(explanation, PLAIN),
    `bundle           /b
root filesystem  /b/rootfs

Before there is a process, runts:
                        make /c

On the host, the first process of init:
   0  linux.namespaces  clone

In the container, it:
   1  process.args      execute

warning: no such capability
`,
  );
});

Deno.test("explanationText() sets titles and paths off on a terminal", () => {
  const lines = explanationText(explanation, TERMINAL).split("\n");
  assertEquals(lines[3], "\x1b[1mBefore there is a process, runts:\x1b[22m");
  assertEquals(lines[7], "\x1b[2m   0  linux.namespaces\x1b[22m  clone");
});

Deno.test("explanationJson() has every field of an operation", () => {
  const { steps } = JSON.parse(explanationJson(explanation));
  assertEquals(steps[2].op, { op: "exec", filter: "01ff", mask: "9223372036854775808", size: 5 });
});
