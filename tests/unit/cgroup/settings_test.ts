import { assertEquals, assertThrows } from "@std/assert";
import {
  formerValue,
  type Setting,
  type Target,
  writeSettings,
} from "../../../lib/cgroup/settings.ts";

function withDirectory(files: Record<string, string>, body: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    for (const [name, content] of Object.entries(files)) {
      Deno.writeTextFileSync(`${directory}/${name}`, content);
    }
    body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function setting(file: string, value: string, more: Partial<Setting> = {}): Setting {
  return { controller: "x", forms: [{ file, value }], configPath: `path.${file}`, ...more };
}

function target(directory: string, keepFormer = false): Target {
  return { directoryOf: () => directory, explain: () => undefined, keepFormer };
}

Deno.test("writeSettings writes the first file that exists", () => {
  withDirectory({ "b": "" }, (directory) => {
    const forms = [{ file: "a", value: "1" }, { file: "b", value: "2" }] as const;
    writeSettings([{ controller: "x", forms, configPath: "p" }], target(directory));
    assertEquals(Deno.readTextFileSync(`${directory}/b`), "2");
    assertEquals([...Deno.readDirSync(directory)].length, 1);
  });
});

Deno.test("writeSettings: a missing file is an error unless the setting is optional", () => {
  withDirectory({}, (directory) => {
    writeSettings([setting("a", "1", { optional: true })], target(directory));
    const error = assertThrows(() => writeSettings([setting("a", "1")], target(directory)), Error);
    assertEquals(
      error.message,
      `path.a: write "1" to "${directory}/a": ENOENT (no such file or directory): ` +
        "this kernel does not have the feature, or has it switched off",
    );
  });
});

Deno.test("writeSettings puts everything back when a later value is refused", () => {
  withDirectory({ a: "old\n", empty: "" }, (directory) => {
    const settings = [setting("a", "new"), setting("empty", "new"), setting("none", "1")];
    assertThrows(() => writeSettings(settings, target(directory, true)), Error, "path.none: write");
    assertEquals(Deno.readTextFileSync(`${directory}/a`), "old");
    // What clears a file of the kernel.
    assertEquals(Deno.readTextFileSync(`${directory}/empty`), "\n");
  });
});

Deno.test("writeSettings names file, value and reason of a refusal", () => {
  withDirectory({}, (directory) => {
    Deno.mkdirSync(`${directory}/a`);
    const explained: Target = {
      ...target(directory),
      explain: (_, __, errno) => `reason ${errno}`,
    };
    const error = assertThrows(() => writeSettings([setting("a", "1")], explained), Error);
    assertEquals(
      error.message,
      `path.a: write "1" to "${directory}/a": EISDIR (is a directory): reason 21`,
    );
  });
});

Deno.test("writeSettings names the sizes of huge pages that there are", () => {
  const files = { "hugetlb.2MB.max": "", "hugetlb.1GB.max": "", "hugetlb.1GB.rsvd.max": "" };
  withDirectory(files, (directory) => {
    const pages = { ...setting("hugetlb.3MB.max", "1"), controller: "hugetlb" };
    const error = assertThrows(() => writeSettings([pages], target(directory)), Error);
    assertEquals(
      error.message,
      'path.hugetlb.3MB.max: limit huge pages of "3MB": the kernel has none of this size: it has ' +
        '"1GB" and "2MB"',
    );
  });
});

Deno.test("formerValue: files of one value, of lines, and memory.oom_control", () => {
  assertEquals(formerValue("max 100000", setting("cpu.max", "1")), "max 100000");
  const line = { key: "8:0", absent: "8:0 0" };
  const throttle = setting("blkio.throttle.read_bps_device", "8:0 5", { line });
  assertEquals(formerValue("8:16 7\n8:0 3", throttle), "8:0 3");
  assertEquals(formerValue("8:16 7", throttle), "8:0 0");
  const oom = setting("memory.oom_control", "1");
  assertEquals(formerValue("oom_kill_disable 1\nunder_oom 0\noom_kill 0", oom), "1");
  assertEquals(formerValue("oom_kill_disable 0\nunder_oom 1\noom_kill 0", oom), "0");
});
