/** The bundle of a container to be: its configuration and its root filesystem. */

import type { CallersFiles } from "../base/document_file.ts";
import type { Caller } from "../base/caller.ts";
import { errnoOf, isRuntsError, quote, RuntsError } from "../base/errors.ts";
import { configPath, parseSpec, readConfig } from "../spec/load.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { withPidsLimit } from "../spec/pids_limit.ts";
import type { Spec } from "../spec/types/config.ts";
import { absolute, absoluteBytes, absoluteRootfs, isNamed } from "../base/absolute.ts";
import type { BundlePlace } from "./bytes_bundle.ts";
import { lacksMaps } from "../userns/id_maps.ts";
import type { CreateOptions } from "./options.ts";

/** A bundle that was read and found sound. */
export interface OpenBundle {
  /** Absolute. */
  readonly path: string;
  readonly spec: Spec;
  /** The text of config.json, for the copy. */
  readonly text: string;
}

async function placeOf(runtime: Runtime, bundle: string): Promise<BundlePlace> {
  const { caller } = runtime;
  const path = absoluteBytes(caller, bundle);
  if (isNamed(caller, path)) return { path, seen: path, [Symbol.dispose]: () => {} };
  const { openBytesPlace } = await import("./bytes_bundle.ts");
  return await openBytesPlace(runtime, path);
}

/** Is called as soon as the configuration is known to be one, with the rest of the bundle still to be looked at. */
type Begin = (spec: Spec) => void;

/** Reads and checks a bundle; nothing has been made when this throws, but by `begin`. */
export async function openBundle(
  runtime: Runtime,
  options: CreateOptions,
  begin: Begin = () => {},
): Promise<OpenBundle> {
  using place = await placeOf(runtime, options.bundle ?? ".");
  try {
    return await runtime.timed("read the bundle", () => openPlace(runtime, place, options, begin));
  } catch (error) {
    throw place.seen === place.path ? error : inItsName(error, place);
  }
}

/** An error that calls the bundle what Deno does, with the name that it has. */
function inItsName(error: unknown, { path, seen }: BundlePlace): unknown {
  if (!isRuntsError(error) || !error.message.includes(seen)) return error;
  const { hint, ...data } = error.data;
  return new RuntsError(error.operation.replaceAll(seen, path), {
    ...data,
    hint: hint?.replaceAll(seen, path),
  });
}

/** The text of a configuration, and what errors call it. */
interface Configuration {
  readonly text: string;
  readonly name: string;
}

async function configurationOf(
  runtime: Runtime,
  { path, seen }: BundlePlace,
  { config, spec }: CreateOptions,
): Promise<Configuration> {
  if (spec === undefined) {
    const file = configPath(seen, config && absolute(runtime.caller, config));
    const text = await readConfig(runtime.files, seen, file);
    return { text, name: file.replace(seen, path) };
  }
  if (config !== undefined) throw new RuntsError("both config and spec are given");
  const { GIVEN, givenText } = await import("./given_spec.ts");
  return { text: givenText(runtime, spec), name: GIVEN };
}

async function openPlace(
  runtime: Runtime,
  place: BundlePlace,
  options: CreateOptions,
  begin: Begin,
): Promise<OpenBundle> {
  const { caller, files } = runtime;
  const { path, seen } = place;
  const { text, name } = await configurationOf(runtime, place, options);
  const spec = await completed(caller, inPresentWords(parseSpec(text, name)));
  begin(spec);
  await checkRootfs(files, seen, spec);
  if (spec.process === undefined) {
    throw new RuntsError(`${name}: process is missing`, { hint: "there is nothing to start" });
  }
  const { linux } = spec;
  if (linux?.sysctl !== undefined && linux.namespaces?.some(({ path }) => path)) {
    const { refuseHostSysctls } = await import("../host/joined_sysctls.ts");
    refuseHostSysctls(caller, linux);
  }
  return { path, spec, text };
}

/** As a document of the newest version would have it. */
function inPresentWords(spec: Spec): Spec {
  const { linux, ociVersion } = spec;
  if (linux?.resources?.pids === undefined) return spec;
  return { ...spec, linux: { ...linux, resources: withPidsLimit(linux.resources, ociVersion) } };
}

/** With id maps for a new user namespace that has none. */
async function completed(caller: Caller, spec: Spec): Promise<Spec> {
  if (!lacksMaps(spec)) return spec;
  const { ownIds, withDefaultMaps } = await import("../userns/default_maps.ts");
  return withDefaultMaps(spec, ownIds(caller));
}

async function checkRootfs(files: CallersFiles, bundle: string, spec: Spec): Promise<void> {
  const rootfs = absoluteRootfs(bundle, spec.root.path);
  let isDirectory: boolean;
  try {
    ({ isDirectory } = await files.stat(rootfs));
  } catch (cause) {
    throw new RuntsError(`root filesystem ${quote(rootfs)}`, {
      configPath: "root.path",
      errno: errnoOf(cause),
    });
  }
  if (isDirectory) return;
  throw new RuntsError(`root filesystem ${quote(rootfs)} is not a directory`, {
    configPath: "root.path",
  });
}
