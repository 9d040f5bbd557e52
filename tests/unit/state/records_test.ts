/** The records of supervised containers. */

import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import {
  readExitRecord,
  readProcessRecord,
  writeProcessRecord,
} from "../../../lib/state/process_record.ts";
import { readSupervised, type Supervised, writeSupervised } from "../../../lib/state/supervised.ts";

function inDirectory(body: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "runts-records-" });
  try {
    body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const EXIT = {
  pid: 1,
  code: 137,
  signal: 9,
  core: false,
  oom: true,
  at: "2026-11-30T10:00:00.123456789Z",
};

const RECORD: Supervised = {
  labels: { app: "shop" },
  restart: { policy: "on-failure", most: 2, delay: 100 },
  stopTimeout: 10_000,
  log: { driver: "cri", path: "/run/runts/web/output.log", maxSize: 10, maxFiles: 3 },
  interactive: false,
  persist: "/var/lib/runts",
  monitor: {
    pid: 10,
    startTime: 20,
    bootId: "boot",
    cgroup: { kind: "v1", path: "/web-monitor", paths: { memory: "/sys/fs/cgroup/memory/web" } },
  },
  create: { bundle: "/bundles/web", noPivot: true, rootless: "auto" },
  restarts: 1,
  lastDelay: 100,
  nextStart: "2026-11-30T10:00:00.000Z",
  stoppedByHand: false,
  started: "2026-11-30T09:59:59.000Z",
  lastEnd: { pid: 11, startTime: 21, exit: EXIT },
};

Deno.test("limits of a process that no number of JavaScript has are kept", () => {
  inDirectory((directory) => {
    const infinite = 0xffffffffffffffffn;
    const record = {
      pid: 11,
      startTime: 21,
      bootId: "boot",
      created: "2026-11-30T10:00:00.000Z",
      spec: {
        args: ["true"],
        cwd: "/",
        rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: infinite }],
      },
      monitor: { pid: 10, startTime: 20 },
    };
    writeProcessRecord(directory, record);
    assertEquals(readProcessRecord(directory), record);
  });
});

Deno.test("records are read as they were written", () => {
  inDirectory((directory) => {
    assertEquals(readSupervised(directory), undefined);
    writeSupervised(directory, RECORD);
    assertEquals(readSupervised(directory), RECORD);
    assertEquals(readProcessRecord(directory), undefined);
    const process = {
      pid: 11,
      startTime: 21,
      bootId: "boot",
      created: "2026-11-30T10:00:00.000Z",
      spec: { cwd: "/", args: ["sh"] },
      monitor: { pid: 10, startTime: 20 },
    };
    writeProcessRecord(directory, process);
    assertEquals(readProcessRecord(directory), process);
    assertEquals(Deno.readTextFileSync(`${directory}/pid`), "11");
    assertEquals(readExitRecord(directory), undefined);
    Deno.writeTextFileSync(`${directory}/exit.json`, JSON.stringify(EXIT));
    assertEquals(readExitRecord(directory), EXIT);
    const names = Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
    assertEquals(names, ["exit.json", "pid", "process.json", "supervised.json"]);
  });
});

Deno.test("of a damaged record file, place and value are named", () => {
  inDirectory((directory) => {
    const file = `${directory}/exit.json`;
    for (
      const [text, cause] of [
        ["", "it is empty"],
        ['{"pid":1,', "it is not JSON"],
        ["[]", "it holds no object"],
        ["{}", '"pid" is missing'],
        [JSON.stringify({ ...EXIT, code: "0" }), '"code" is "0", not a number'],
        [JSON.stringify({ ...EXIT, pid: -1 }), '"pid" is -1, out of range'],
        [JSON.stringify({ ...EXIT, oom: 1 }), '"oom" is 1, not a boolean'],
        [JSON.stringify({ ...EXIT, at: "noon" }), '"at" is "noon", not a time'],
      ] as const
    ) {
      Deno.writeTextFileSync(file, text);
      const message = `read record ${JSON.stringify(file)}: ${cause}`;
      const error = assertThrows(() => readExitRecord(directory), RuntsError);
      assertEquals(error.message, message);
    }
  });
});

Deno.test("of a part of a record the whole place is named", () => {
  inDirectory((directory) => {
    const wrong = (part: Record<string, unknown>) => {
      Deno.writeTextFileSync(
        `${directory}/supervised.json`,
        JSON.stringify({ ...RECORD, ...part }),
      );
      const error = assertThrows(() => readSupervised(directory), RuntsError);
      return error.message.replace(`read record "${directory}/supervised.json": `, "");
    };
    assertEquals(
      wrong({ restart: { policy: "never", delay: 1 } }),
      '"restart.policy" is "never", not one of no, on-failure, always, unless-stopped',
    );
    assertEquals(wrong({ labels: { a: 1 } }), '"labels.a" is 1, not a string');
    assertEquals(wrong({ monitor: undefined }), '"monitor" is missing');
    assertEquals(wrong({ log: "cri" }), '"log" is "cri", not an object');
    assertEquals(
      wrong({ monitor: { ...RECORD.monitor, cgroup: { kind: "v1" } } }),
      '"monitor.cgroup.path" is missing',
    );
  });
});

Deno.test("a record that is no file is not waited for", () => {
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/exit.json`);
    assertThrows(
      () => readExitRecord(directory),
      RuntsError,
      `read record "${directory}/exit.json": it is not a regular file`,
    );
  });
});
