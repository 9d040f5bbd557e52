import { assertEquals } from "@std/assert";
import { OPTIONS, REQUEST, RequestType, RESPONSE } from "../../../lib/criu/messages.ts";
import { decodeMessage, encodeMessage } from "../../../lib/wire/protobuf.ts";

Deno.test("what criu requires is written, whatever its value", () => {
  // inherit_fd { key = "pipe:[7]"; fd = 0 } as field 27, manage_cgroups_mode = IGNORE as field 34.
  const bytes = encodeMessage(OPTIONS, {
    inherit: [{ key: "pipe:[7]", fd: 0 }],
    manageCgroupsMode: 0,
    leaveRunning: false,
  });
  const expected = [
    0xda,
    1,
    12,
    0x0a,
    8,
    ...new TextEncoder().encode("pipe:[7]"),
    0x10,
    0,
    0x90,
    2,
    0,
  ];
  assertEquals([...bytes], expected);
});

Deno.test("requests are read as they were written", () => {
  const request = {
    type: RequestType.restore,
    options: {
      imagesDirectory: 5,
      workDirectory: 0,
      root: "/root",
      externalMounts: [{ key: "/a", value: "/b" }, { key: "/c", value: "/d" }],
      cgroupRoots: [{ controller: "", path: "/x" }],
      joinNamespaces: [{ type: "ipc", path: "/proc/1/ns/ipc" }],
      restoreSibling: true,
    },
    keepOpen: true,
  };
  const { type, options, keepOpen } = decodeMessage(REQUEST, encodeMessage(REQUEST, request));
  assertEquals({ type, keepOpen }, { type: 2, keepOpen: true });
  assertEquals(options?.externalMounts, request.options.externalMounts);
  assertEquals(options?.cgroupRoots, request.options.cgroupRoots);
  assertEquals(options?.joinNamespaces, request.options.joinNamespaces);
  assertEquals([options?.imagesDirectory, options?.root], [5, "/root"]);
});

Deno.test("an answer is read with what it says of a failure", () => {
  // type = DUMP, success = false, cr_errno = 3, cr_errmsg = "no"
  const bytes = Uint8Array.of(8, 1, 16, 0, 56, 3, 74, 2, 0x6e, 0x6f);
  const { type, success, errno, message, restored } = decodeMessage(RESPONSE, bytes);
  assertEquals({ type, success, errno, message, restored }, {
    type: 1,
    success: false,
    errno: 3,
    message: "no",
    restored: undefined,
  });
});
