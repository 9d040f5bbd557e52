/** What runts can do on this host, in the words of crun's `--version`, which clients look for. */

import { isDirectory, statFile } from "../base/files.ts";

/** Where ld.so looks for libraries, but for what ld.so.conf(5) adds. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/**
 * The names, in crun's order; each is in `features`, too, which tells what is implemented whatever
 * the host can do.
 *
 * @param hasSeccomp whether libseccomp is there
 */
export function abilities(hasSeccomp: boolean): string[] {
  const all: readonly [name: string, holds: boolean][] = [
    ["SYSTEMD", isDirectory("/run/systemd/system") && hasLibrary("libsystemd.so.0")],
    ["SELINUX", isDirectory("/sys/fs/selinux")],
    ["APPARMOR", read("/sys/module/apparmor/parameters/enabled").startsWith("Y")],
    ["CAP", true],
    ["SECCOMP", hasSeccomp],
    ["EBPF", true],
    ["CRIU", hasProgram("criu")],
  ];
  return all.filter(([, holds]) => holds).map(([name]) => name);
}

/** Without loading it, which takes longer than all the rest. */
function hasLibrary(name: string): boolean {
  const own = `/${Deno.build.arch}-linux-gnu`;
  return LIBRARIES.flatMap((folder) => [`${folder}${own}`, folder])
    .some((folder) => statFile(`${folder}/${name}`)?.isFile);
}

/** Where criu is looked for, but for what a caller's PATH adds. */
const PROGRAMS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

function hasProgram(name: string): boolean {
  return PROGRAMS.some((folder) => statFile(`${folder}/${name}`)?.isFile);
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return "";
  }
}
