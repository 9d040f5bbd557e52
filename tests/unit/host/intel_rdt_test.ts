/** Classes and monitoring groups of resctrl, in a directory that stands for its mount. */

import { assertEquals, assertThrows } from "@std/assert";
import { joinResctrl, leaveResctrl, updateResctrl } from "../../../lib/host/intel_rdt.ts";
import { Undo } from "../../../lib/base/undo.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import type { IntelRdt } from "../../../lib/spec/types/config.ts";

/** A directory like a resctrl mount, whose groups have their files as soon as they are made. */
class Resctrl implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "runts-rdt-" });

  constructor(...groups: string[]) {
    for (const group of ["", ...groups]) this.fill(group);
  }

  fill(group: string, schemata = ""): void {
    Deno.mkdirSync(`${this.path}/${group}/mon_groups`, { recursive: true });
    for (const name of ["tasks", "schemata"]) this.put(`${group}/${name}`, "");
    this.put(`${group}/schemata`, schemata);
  }

  put(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
  }

  read(name: string): string {
    return Deno.readTextFileSync(`${this.path}/${name}`);
  }

  has(name: string): boolean {
    try {
      return Deno.statSync(`${this.path}/${name}`).isDirectory;
    } catch {
      return false;
    }
  }

  join(rdt: IntelRdt, undo = new Undo()): void {
    joinResctrl("web", [42], rdt, undo, this.path);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("joinResctrl: the root class, and one that is there without a schema", () => {
  using resctrl = new Resctrl("gold");
  resctrl.join({ closID: "/" });
  resctrl.join({ closID: "gold" });
  assertEquals([resctrl.read("tasks"), resctrl.read("gold/tasks")], ["42", "42"]);
  assertEquals(resctrl.read("gold/schemata"), "");
});

Deno.test("joinResctrl: a class that is missing is an error unless a schema is given", () => {
  using resctrl = new Resctrl();
  assertThrows(
    () => resctrl.join({ closID: "gold" }),
    RuntsError,
    'linux.intelRdt.closID: class "gold" does not exist: it is made only when a schema is given',
  );
  assertEquals(resctrl.has("gold"), false);
});

Deno.test("joinResctrl: a class that is there must have the schemata that are asked for", () => {
  using resctrl = new Resctrl();
  resctrl.fill("gold", "    MB:0=100;1=100\n    L3:0=fff;1=f\n");
  resctrl.join({ closID: "gold", l3CacheSchema: "L3:1=0F", memBwSchema: "MB:0=100;1=100" });
  assertEquals(resctrl.read("gold/tasks"), "42");
  assertThrows(
    () => resctrl.join({ closID: "gold", l3CacheSchema: "L3:0=f" }),
    RuntsError,
    `linux.intelRdt.closID: class "${resctrl.path}/gold" exists with other schemata than "L3:0=f"`,
  );
});

Deno.test("joinResctrl: what cannot be written is named, and what was made is taken back", async () => {
  using resctrl = new Resctrl();
  const undo = new Undo();
  // Nobody fills a directory that was made here: the file is missing.
  assertThrows(
    () => resctrl.join({ l3CacheSchema: "L3:0=f" }, undo),
    RuntsError,
    `linux.intelRdt: write "L3:0=f" to "${resctrl.path}/web/schemata": ` +
      "ENOENT (no such file or directory)",
  );
  assertEquals(resctrl.has("web"), true);
  await undo.run((error) => {
    throw error;
  });
  assertEquals(resctrl.has("web"), false);
});

Deno.test("joinResctrl: threads go into the class one by one, as the kernel takes them", () => {
  using resctrl = new Resctrl("gold");
  joinResctrl("web", [42, 43, 50], { closID: "gold" }, new Undo(), resctrl.path);
  // A plain file holds what was written last.
  assertEquals(resctrl.read("gold/tasks"), "50");
});

Deno.test("joinResctrl: a monitoring group below the class", () => {
  using resctrl = new Resctrl("gold", "gold/mon_groups/web");
  resctrl.join({ closID: "gold", enableMonitoring: true });
  assertEquals(resctrl.read("gold/mon_groups/web/tasks"), "42");
});

Deno.test("leaveResctrl removes the container's own class, and of a named one the monitoring", () => {
  using resctrl = new Resctrl("gold");
  for (const name of ["web", "gold/mon_groups/web"]) Deno.mkdirSync(`${resctrl.path}/${name}`);
  leaveResctrl("web", { closID: "gold", enableMonitoring: true }, resctrl.path);
  assertEquals([resctrl.has("gold"), resctrl.has("gold/mon_groups/web")], [true, false]);
  leaveResctrl("web", {}, resctrl.path);
  leaveResctrl("web", {}, resctrl.path);
  assertEquals(resctrl.has("web"), false);
});

Deno.test("updateResctrl writes the schemata", () => {
  using resctrl = new Resctrl("web");
  updateResctrl("web", { l3CacheSchema: "L3:0=3" }, resctrl.path);
  assertEquals(resctrl.read("web/schemata"), "L3:0=3\n");
});
