/** The options of a runtime, in each of the forms that clients give them in. */

import { reason, RuntsError } from "../base/errors.ts";
import { type Decoded, decodeMessage } from "../wire/protobuf.ts";
import {
  type ANY,
  CHECKPOINT_OPTIONS,
  LINUX_OPTIONS,
  RUNC_OPTIONS,
  RUNTIME_OPTIONS,
} from "./messages.ts";

/** What a task is made with. */
export interface TaskOptions {
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** Path of a cgroup for the monitor; empty: where it is. */
  readonly shimCgroup: string;
  /** Who owns the pipes of its streams. */
  readonly ioUid: number;
  readonly ioGid: number;
  /** The directory above those of the namespaces; empty: the default. */
  readonly root: string;
  readonly systemdCgroup: boolean;
}

const NONE: TaskOptions = {
  noPivot: false,
  noNewKeyring: false,
  shimCgroup: "",
  ioUid: 0,
  ioGid: 0,
  root: "",
  systemdCgroup: false,
};

const PREFIX = "types.containerd.io/";

/** The options of a message; one of a type that is not known is refused. */
export function taskOptions(any: Decoded<typeof ANY> | undefined): TaskOptions {
  if (any === undefined || any.type_url === "") return NONE;
  switch (typeOf(any)) {
    case "containerd.runc.v1.Options": {
      const options = decodeMessage(RUNC_OPTIONS, any.value);
      return fromRunc(options);
    }
    case "containerd.linux.runc.CreateOptions": {
      const options = decodeMessage(LINUX_OPTIONS, any.value);
      return fromRunc({ ...options, root: "", systemd_cgroup: false });
    }
    case "runtimeoptions.v1.Options":
    case "cri.runtimeoptions.v1.Options":
      return fromToml(decodeMessage(RUNTIME_OPTIONS, any.value));
    default:
      throw unknown(any);
  }
}

/** What a checkpoint is made with; options of a type that is not known are refused. */
export function checkpointOptions(
  any: Decoded<typeof ANY> | undefined,
): Decoded<typeof CHECKPOINT_OPTIONS> {
  if (any === undefined || any.type_url === "") {
    return decodeMessage(CHECKPOINT_OPTIONS, new Uint8Array());
  }
  const isKnown = ["containerd.runc.v1", "containerd.linux.runc"]
    .some((name) => typeOf(any) === `${name}.CheckpointOptions`);
  if (!isKnown) throw unknown(any);
  return decodeMessage(CHECKPOINT_OPTIONS, any.value);
}

function typeOf({ type_url }: Decoded<typeof ANY>): string {
  return type_url.startsWith(PREFIX) ? type_url.slice(PREFIX.length) : type_url;
}

function unknown({ type_url }: Decoded<typeof ANY>): RuntsError {
  return new RuntsError(`options of type ${JSON.stringify(type_url)} are not known`);
}

function fromRunc(
  options: Omit<Decoded<typeof RUNC_OPTIONS>, "binary_name">,
): TaskOptions {
  return {
    noPivot: options.no_pivot_root,
    noNewKeyring: options.no_new_keyring,
    shimCgroup: options.shim_cgroup,
    ioUid: options.io_uid,
    ioGid: options.io_gid,
    root: options.root,
    systemdCgroup: options.systemd_cgroup,
  };
}

/** The table `options` of a runtime in containerd's configuration: lines `Name = value`. */
function fromToml({ config_path, config_body }: Decoded<typeof RUNTIME_OPTIONS>): TaskOptions {
  const text = config_body.length > 0
    ? new TextDecoder().decode(config_body)
    : config_path !== ""
    ? readConfig(config_path)
    : "";
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*(?:#.*)?$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value);
  }
  const flag = (name: string) => values.get(name) === "true";
  const number = (name: string) => Number(values.get(name) ?? 0) || 0;
  const word = (name: string) => /^["'](.*)["']$/.exec(values.get(name) ?? "")?.[1] ?? "";
  return {
    noPivot: flag("NoPivotRoot"),
    noNewKeyring: flag("NoNewKeyring"),
    shimCgroup: word("ShimCgroup"),
    ioUid: number("IoUid"),
    ioGid: number("IoGid"),
    root: word("Root"),
    systemdCgroup: flag("SystemdCgroup"),
  };
}

function readConfig(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new RuntsError(`read the options of the runtime: ${reason(error)}`);
  }
}
