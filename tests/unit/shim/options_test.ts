/** The options of a runtime, in the forms that clients give them in. */

import { assertEquals, assertThrows } from "@std/assert";
import { encodeMessage } from "../../../lib/wire/protobuf.ts";
import {
  CHECKPOINT_OPTIONS,
  LINUX_OPTIONS,
  RUNC_OPTIONS,
  RUNTIME_OPTIONS,
} from "../../../lib/shim/messages.ts";
import { checkpointOptions, taskOptions } from "../../../lib/shim/options.ts";

const NONE = {
  noPivot: false,
  noNewKeyring: false,
  shimCgroup: "",
  ioUid: 0,
  ioGid: 0,
  root: "",
  systemdCgroup: false,
};

Deno.test("no options are the default", () => {
  assertEquals(taskOptions(undefined), NONE);
  assertEquals(taskOptions({ type_url: "", value: new Uint8Array() }), NONE);
});

Deno.test("those of runc's shim, by their name with and without a prefix", () => {
  const value = encodeMessage(RUNC_OPTIONS, {
    no_pivot_root: true,
    shim_cgroup: "/shims",
    io_uid: 7,
    io_gid: 8,
    binary_name: "/usr/bin/other",
    root: "/run/other",
    systemd_cgroup: true,
  });
  const wanted = {
    ...NONE,
    noPivot: true,
    shimCgroup: "/shims",
    ioUid: 7,
    ioGid: 8,
    root: "/run/other",
    systemdCgroup: true,
  };
  for (const prefix of ["", "types.containerd.io/"]) {
    assertEquals(taskOptions({ type_url: `${prefix}containerd.runc.v1.Options`, value }), wanted);
  }
});

Deno.test("those that ctr gives to any shim", () => {
  const value = encodeMessage(LINUX_OPTIONS, { no_pivot_root: true, io_uid: 1000, io_gid: 1000 });
  assertEquals(taskOptions({ type_url: "containerd.linux.runc.CreateOptions", value }), {
    ...NONE,
    noPivot: true,
    ioUid: 1000,
    ioGid: 1000,
  });
});

Deno.test("those that the CRI gives to any shim: a table of its configuration", () => {
  const body = 'Root = "/run/r"\n  SystemdCgroup = true # since v1\nIoUid = 5\nBinaryName = "x"\n';
  const value = encodeMessage(RUNTIME_OPTIONS, { config_body: new TextEncoder().encode(body) });
  const wanted = { ...NONE, root: "/run/r", systemdCgroup: true, ioUid: 5 };
  assertEquals(taskOptions({ type_url: "runtimeoptions.v1.Options", value }), wanted);
  const file = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(file, body);
    const value = encodeMessage(RUNTIME_OPTIONS, { config_path: file });
    assertEquals(taskOptions({ type_url: "runtimeoptions.v1.Options", value }), wanted);
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("others are refused", () => {
  const any = { type_url: "my.Options", value: new Uint8Array() };
  assertThrows(() => taskOptions(any), Error, 'options of type "my.Options" are not known');
});

Deno.test("those of a checkpoint, by runc's name and by that of ctr", () => {
  const wanted = {
    exit: true,
    open_tcp: true,
    external_unix_sockets: false,
    terminal: false,
    file_locks: true,
    empty_namespaces: ["network"],
    cgroups_mode: "full",
    work_path: "/work",
  };
  const value = encodeMessage(CHECKPOINT_OPTIONS, wanted);
  for (const name of ["containerd.runc.v1", "types.containerd.io/containerd.linux.runc"]) {
    assertEquals(checkpointOptions({ type_url: `${name}.CheckpointOptions`, value }), wanted);
  }
  assertEquals(checkpointOptions(undefined).exit, false);
  assertThrows(
    () => checkpointOptions({ type_url: "other.Options", value }),
    Error,
    'options of type "other.Options" are not known',
  );
});
