/** `lxc copy --ephemeral`: a copy that is an overlay, is started, and goes when it has stopped. */

import { absolute } from "../../base/absolute.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { lxcPath } from "../place.ts";
import { copyContainer, type CopyManner } from "./copy.ts";

/** What is added to a copy for one life. */
interface EphemeralOptions {
  readonly name: string;
  readonly lxcpath?: string | undefined;
  readonly newPath?: string | undefined;
  /** Default the container's, and six characters. */
  readonly newName?: string | undefined;
  /** It is not removed. */
  readonly keepData: boolean;
  /** Its changes are kept in memory. */
  readonly tmpfs: boolean;
  /** `bind=SOURCE[:TARGET[:ro]]` or `overlay=SOURCE[:TARGET]`, separated by commas. */
  readonly mounts: readonly string[];
  readonly manner: CopyManner;
}

/** The copy. */
interface EphemeralCopy {
  readonly name: string;
  /** Directory of containers. */
  readonly lxcpath: string;
}

/** Makes the copy, which is not started yet. */
export async function copyForOneLife(
  runtime: Runtime,
  options: EphemeralOptions,
): Promise<EphemeralCopy> {
  const { name, lxcpath: from, newPath, manner } = options;
  const lxcpath = newPath === undefined
    ? lxcPath(runtime, from)
    : absolute(runtime.caller, newPath);
  const newName = options.newName ?? `${name}_${randomText()}`;
  const directory = `${lxcpath}/${newName}`;
  const mounts = options.mounts.flatMap((list) => list.split(",")).map((text, index) =>
    mountOf(runtime, text, `${directory}/mount${index}`)
  );
  const hook = `${directory}/in-memory`;
  await copyContainer(runtime, {
    ...manner,
    ...{ name, lxcpath: from, newName, newPath, snapshot: true },
    further: [
      ...(options.keepData ? [] : ["lxc.ephemeral = 1"]),
      ...mounts.map(({ entry }) => `lxc.mount.entry = ${entry}`),
      ...(options.tmpfs ? [`lxc.hook.pre-mount = ${hook}`] : []),
    ],
  });
  for (const path of mounts.flatMap(({ directories }) => directories)) {
    Deno.mkdirSync(path, { recursive: true });
  }
  if (options.tmpfs) {
    Deno.writeTextFileSync(hook, memoryScript(`${directory}/overlay`));
    Deno.chmodSync(hook, 0o755);
  }
  return { name: newName, lxcpath };
}

/** Runs in the mount namespace of the container, so that there is nothing to be unmounted. */
function memoryScript(overlay: string): string {
  return `#!/bin/sh
set -e
mount -t tmpfs -o mode=0755 none '${overlay}'
mkdir '${overlay}/delta' '${overlay}/work'
`;
}

interface Mount {
  /** A line of fstab(5). */
  readonly entry: string;
  /** That it needs. */
  readonly directories: readonly string[];
}

function mountOf({ caller }: Runtime, text: string, place: string): Mount {
  const [, kind, rest = ""] = /^(bind|overlay)=(.+)$/.exec(text) ?? [];
  const [given = "", inside = given, mode = "rw", ...more] = rest.split(":");
  const isRight = kind !== undefined && given !== "" && more.length === 0 &&
    (kind === "bind" ? ["rw", "ro"].includes(mode) : mode === "rw");
  if (!isRight) {
    throw new RuntsError(`${quote(text)} is not a mount`, {
      hint: "as bind=/source:/target:ro or overlay=/source:/target",
    });
  }
  const source = absolute(caller, given);
  const target = escaped((inside === given ? source : inside).replace(/^\/+/, ""));
  if (kind === "bind") {
    const options = `bind,optional,${mode},create=dir`;
    return { entry: `${escaped(source)} ${target} none ${options} 0 0`, directories: [] };
  }
  const [upper, work] = [`${place}/delta`, `${place}/work`];
  const options = `lowerdir=${source},upperdir=${upper},workdir=${work},create=dir`;
  return {
    entry: `${escaped(source)} ${target} overlay ${escaped(options)} 0 0`,
    directories: [upper, work],
  };
}

/** fstab(5). */
function escaped(field: string): string {
  return field.replace(
    /[\s\\]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Six characters. */
function randomText(): string {
  const numbers = crypto.getRandomValues(new Uint8Array(6));
  return Array.from(numbers, (number) => LETTERS[number % LETTERS.length]).join("");
}
