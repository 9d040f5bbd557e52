import { assert, assertEquals, assertRejects } from "@std/assert";
import { Turns } from "../../../lib/shim/turns.ts";

Deno.test("one after the other, whether or not they succeed", async () => {
  const turns = new Turns();
  const begun: string[] = [];
  const first = Promise.withResolvers<void>();
  assert(!turns.isTaken);
  const one = turns.take(() => (begun.push("one"), first.promise));
  const two = turns.take(() => Promise.resolve(begun.push("two")));
  assert(turns.isTaken);
  await Promise.resolve();
  assertEquals(begun, ["one"]);
  first.reject(new Error("one fails"));
  await assertRejects(() => one, Error, "one fails");
  assertEquals(await two, 2);
  await turns.take(() => Promise.resolve());
  await Promise.resolve();
  assertEquals(begun, ["one", "two"]);
});

Deno.test("nobody waits for ever for one that waits itself", async () => {
  const turns = new Turns(1);
  const never = Promise.withResolvers<void>();
  const one = turns.take(() => never.promise);
  assertEquals(await turns.take(() => Promise.resolve("two")), "two");
  never.resolve();
  await one;
});
