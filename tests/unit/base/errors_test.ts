import { assertEquals } from "@std/assert";
import { errnoOf, oneLine, quote, RuntsError } from "../../../lib/base/errors.ts";
import { table } from "../../../lib/cli/table.ts";
import { explanationText, PLAIN } from "../../../lib/cli/explain_view.ts";
import { describeOp } from "../../../lib/plan/describe.ts";
import { onlyOp, opsOf, planOf } from "../../support/plan.ts";

/** A line end, what clears a screen (7 and 8 bits), DEL, a line end of Unicode, a change of direction. */
const EVIL = "a\n\x1b[2J\x9b2J\x7f\u2028\u202eb";
const TAMED = "a\\n\\u001b[2J\\u009b2J\\u007f\\u2028\\u202eb";

Deno.test("quote shows numbers as they are, also those that JSON has not", () => {
  assertEquals([quote(7), quote(1e400), quote(-1.5), quote(10n)], ["7", "Infinity", "-1.5", "10"]);
});

Deno.test("oneLine() and quote() leave nothing that a terminal obeys", () => {
  assertEquals(oneLine(EVIL), TAMED);
  assertEquals(quote(EVIL), `"${TAMED}"`);
  assertEquals(oneLine("größe 𝒳 «x»"), "größe 𝒳 «x»");
});

Deno.test("quote() cuts between characters", () => {
  const text = quote(`${"a".repeat(197)}𝒳${"a".repeat(99)}`);
  assertEquals(text, `"${"a".repeat(197)}\ufffd…`);
});

Deno.test("a RuntsError is one line, whatever its parts and its cause say", () => {
  const cause = new Error(EVIL);
  const error = new RuntsError(`open ${EVIL}`, { configPath: EVIL, cause, hint: EVIL });
  assertEquals(error.message, `${TAMED}: open ${TAMED}: ${TAMED}: ${TAMED}`);
});

Deno.test("explain and list show paths in one line", () => {
  const plan = planOf({ "process.cwd": `/${EVIL}`, "linux.sysctl": { [`net.${EVIL}`]: "1" } });
  assertEquals(describeOp(opsOf(plan, "chdir")[0]!), `enter directory /${TAMED}`);
  assertEquals(onlyOp(plan, "write_file").from, `linux.sysctl["net.${TAMED}"]`);
  const steps = [{ stage: "cgroup", from: "", text: EVIL }] as const;
  const text = explanationText({ bundle: EVIL, rootfs: "/", steps, warnings: [EVIL] }, PLAIN);
  assertEquals(
    text,
    `bundle           ${TAMED}\nroot filesystem  /\n\n` +
      `Before there is a process, runts:\n        ${TAMED}\n\nwarning: ${TAMED}\n`,
  );
  assertEquals(
    table(["ID", "BUNDLE"], [["web", EVIL]]),
    `ID          BUNDLE\nweb         ${TAMED}\n`,
  );
});

Deno.test("an error of Deno gives its number, also where Deno has another name for it", () => {
  const text = "Operation not supported (os error 95): writefile '/a'";
  const cause = Object.assign(new Error(text), { code: "ENOTSUP" });
  assertEquals(errnoOf(cause), 95);
  assertEquals(
    new RuntsError('write "1" to "/a"', { cause }).message,
    'write "1" to "/a": EOPNOTSUPP (operation not supported)',
  );
  assertEquals(errnoOf(Object.assign(new Error(""), { code: "ENOENT" })), 2);
  assertEquals(errnoOf(new Error("none")), undefined);
});
