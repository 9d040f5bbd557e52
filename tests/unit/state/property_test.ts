import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseHost } from "../../../lib/cgroup/hierarchies.ts";
import { recordedPaths } from "../../../lib/cgroup/location.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { checkId } from "../../../lib/state/id.ts";
import { formatStatus, parseStatus, type Status } from "../../../lib/state/status.ts";

const STATUS: Status = {
  pid: 7,
  startTime: 8,
  cgroupPath: "/c",
  scope: "",
  rootfs: "rootfs",
  systemdCgroup: false,
  bundle: "/bundle",
  created: "2020-01-01T00:00:00Z",
  owner: "root",
  detached: true,
  externalDescriptors: ["/dev/null", "/dev/null", "pipe:[1]"],
  annotations: { a: "b" },
  bootId: "boot",
  cgroup: { kind: "v1", path: "/c", paths: { memory: "/sys/fs/cgroup/memory/c" } },
  startOps: [{ index: 1, op: "exec", from: "process.args" }],
};

/** Either an error that names the file, or a status whose fields are what they should be. */
function checkParsed(text: string): void {
  let status: Status;
  try {
    status = parseStatus(text, "/state/status");
  } catch (error) {
    assert(error instanceof RuntsError, String(error));
    assert(error.message.startsWith('read status file "/state/status"'), error.message);
    return;
  }
  for (const number of [status.pid, status.startTime]) {
    assert(Number.isSafeInteger(number) && number >= 0);
  }
  for (const value of [status.bundle, status.rootfs, status.cgroupPath, status.scope]) {
    assertEquals(typeof value, "string");
  }
  for (const path of Object.values(status.cgroup?.paths ?? {})) assertEquals(typeof path, "string");
  for (const value of Object.values(status.annotations ?? {})) assertEquals(typeof value, "string");
  assert(status.externalDescriptors.every((value) => typeof value === "string"));
}

Deno.test("a status that was written is read as it was", () => {
  assertEquals(parseStatus(formatStatus(STATUS), "status"), STATUS);
});

Deno.test("parseStatus takes any text and any JSON", () => {
  fc.assert(fc.property(fc.string(), checkParsed), { numRuns: 100 });
  fc.assert(fc.property(fc.json(), checkParsed), { numRuns: 100 });
});

Deno.test("parseStatus takes a status with any value at any key", () => {
  const sound = JSON.parse(formatStatus(STATUS));
  const key = fc.constantFrom(...Object.keys(sound));
  fc.assert(
    fc.property(key, fc.jsonValue(), (name, value) => {
      checkParsed(JSON.stringify({ ...sound, [name]: value }));
    }),
    { numRuns: 300 },
  );
  const inner = fc.constantFrom("kind", "path", "paths");
  fc.assert(
    fc.property(inner, fc.jsonValue(), (name, value) => {
      checkParsed(JSON.stringify({ ...sound, cgroup: { ...sound.cgroup, [name]: value } }));
    }),
    { numRuns: 200 },
  );
});

Deno.test("parseStatus takes a status that was cut or has a byte changed", () => {
  const text = formatStatus(STATUS);
  const index = fc.nat(text.length);
  fc.assert(
    fc.property(index, fc.string({ maxLength: 3 }), (at, put) => {
      checkParsed(text.slice(0, at));
      checkParsed(text.slice(0, at) + put + text.slice(at + 1));
    }),
    { numRuns: 200 },
  );
});

Deno.test("recordedPaths lets nothing through that is not below the mount point", () => {
  const mount = "30 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  const host = parseHost(mount, "0::/own/sub\n");
  const part = fc.constantFrom("", ".", "..", "/", "own", "sub", "c", "sys", "fs", "cgroup");
  const path = fc.array(part, { maxLength: 8 }).map((parts) => `/sys/fs/cgroup${parts.join("/")}`);
  fc.assert(
    fc.property(path, (place) => {
      try {
        recordedPaths(host, { "": place });
      } catch (error) {
        assert(error instanceof RuntsError);
        return;
      }
      assert(place.startsWith("/sys/fs/cgroup/") && !/\/(\.{0,2})(\/|$)/.test(place), place);
      assert(!"/sys/fs/cgroup/own/sub/".startsWith(`${place}/`), place);
    }),
    { numRuns: 300 },
  );
});

Deno.test("checkId takes only names of one element", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom("..", ".", "a/b", "/")), (id) => {
      try {
        checkId(id);
      } catch (error) {
        assert(error instanceof RuntsError);
        return;
      }
      assert(id !== "" && id !== "." && id !== ".." && !/[/\0\s]/.test(id), id);
    }),
    { numRuns: 200 },
  );
});
