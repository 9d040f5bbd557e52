/** Where everything of an installed runts is. */

import { dirname, join } from "@std/path";
import { LXC_LINKED } from "../../lib/commands/lxc_verbs.ts";
import { EXECUTABLE, exists, ROOT } from "../support/paths.ts";
import { output, run } from "../support/run.ts";

/** Links beside the executable. */
const LINKS: readonly (readonly [name: string, room: string])[] = [
  // containerd finds its shims by this form of a name.
  ["containerd-shim-runts-v2", "lib/shim"],
];

/** Links that LXC's own package has files of the same names for. */
const LXC_LINKS = "usr/lib/runts/lxc";

/** Documents that are installed; others are on the site. */
const DOCUMENTS = ["README.md"];

/** Files of packaging/licences, and those of examples/. */
const DOC = "usr/share/doc/runts";

/**
 * Makes the tree below `root`.
 *
 * @param executable path of that of the machine; what it says of itself comes from this machine's own
 * @param bill the bill of materials
 */
export async function layOut(root: string, executable: string, bill: string): Promise<void> {
  await put(root, "usr/bin/runts", await Deno.readFile(executable), 0o755);
  for (const [name, room] of LINKS) {
    if (!await exists(join(ROOT, room))) continue;
    await link(root, `usr/bin/${name}`, "runts");
    await link(root, `usr/share/man/man1/${name}.1.gz`, "runts.1.gz");
  }
  for (const verb of LXC_LINKED) await link(root, `${LXC_LINKS}/lxc-${verb}`, "../../../bin/runts");
  const shells = {
    bash: "usr/share/bash-completion/completions/runts",
    fish: "usr/share/fish/vendor_completions.d/runts.fish",
    zsh: "usr/share/zsh/vendor-completions/_runts",
  };
  for (const [shell, path] of Object.entries(shells)) {
    await put(root, path, await output(EXECUTABLE, ["completion", shell]));
  }
  await put(root, "usr/share/man/man1/runts.1", await output(EXECUTABLE, ["man"]));
  await run("gzip", ["-n", "-9", join(root, "usr/share/man/man1/runts.1")]);
  await putDocuments(root, bill);
  await putUnits(root);
}

async function putDocuments(root: string, bill: string): Promise<void> {
  for (const name of DOCUMENTS) {
    await put(root, `${DOC}/${name}`, await Deno.readTextFile(join(ROOT, name)));
  }
  await put(root, `${DOC}/changelog`, await Deno.readTextFile(join(ROOT, "CHANGELOG.md")));
  await run("gzip", ["-n", "-9", join(root, DOC, "changelog")]);
  await put(root, `${DOC}/runts.cdx.json`, bill);
  await put(root, `${DOC}/licences/runts.txt`, await Deno.readTextFile(join(ROOT, "LICENSE")));
  for (const [name, text] of await textsIn("packaging/licences")) {
    await put(root, `${DOC}/licences/${name}`, text);
  }
  const clients = await Deno.readTextFile(join(ROOT, "docs/clients.md"));
  for (const [name, text] of examplesIn(clients)) await put(root, `${DOC}/examples/${name}`, text);
}

/**
 * The files that a page shows, as they stand, with the place that a package puts the executable; named by their
 * places, `containerd-config.toml` and, of two for one place, `containerd-config-shim.toml`.
 */
export function examplesIn(page: string): [name: string, text: string][] {
  const blocks = page.matchAll(
    /<!-- file: (?:\/etc\/)?(\S+?)(\.\w+)(?: with the (\w+))? -->\n+```\w*\n(.*?)```/gs,
  );
  return Array.from(blocks, ([, path = "", suffix = "", variant, text = ""]) => [
    [path.replaceAll("/", "-"), ...(variant === undefined ? [] : [variant])].join("-") + suffix,
    text.replaceAll("/usr/local/sbin/runts", "/usr/bin/runts"),
  ]);
}

/** Units of systemd, of the system and of users. */
async function putUnits(root: string): Promise<void> {
  for (const [from, to] of [["systemd", "system"], ["systemd-user", "user"]]) {
    for (const [name, text] of await textsIn(`packaging/${from}`)) {
      await put(root, `usr/lib/systemd/${to}/${name}`, text);
    }
  }
}

/** Names and texts of a folder of the project, sorted; none where there is no such folder. */
export async function textsIn(folder: string): Promise<[name: string, text: string][]> {
  const path = join(ROOT, folder);
  if (!await exists(path)) return [];
  const names = (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
  return await Promise.all(
    names.map(async (
      name,
    ): Promise<[string, string]> => [name, await Deno.readTextFile(join(path, name))]),
  );
}

/** Writes a file with the directories above it. */
export async function put(
  root: string,
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const file = join(root, path);
  await Deno.mkdir(dirname(file), { recursive: true });
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(file, bytes, { mode });
  await Deno.chmod(file, mode);
}

async function link(root: string, path: string, target: string): Promise<void> {
  const file = join(root, path);
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.symlink(target, file);
}
