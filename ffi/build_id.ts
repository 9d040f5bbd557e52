/**
 * The build id: 16 hexadecimal digits for the C sources, and 16 for the tables that TypeScript and C
 * must agree on. The library and init carry it; the executable has it inside (tools/build/link).
 */

/** Files of the tables, and the folder all of whose files are. */
const TABLES = [
  ...[
    "device_programs.ts",
    "monitor.ts",
    "mounts.ts",
    "net.ts",
    "peer.ts",
    "replace.ts",
    "streams.ts",
    "symbols.ts",
  ],
  "waiter_symbols.ts",
];
const WIRE = "../lib/wire/";

/** The half of the id that stands for the tables, as they are beside this file. */
export async function tablesId(): Promise<string> {
  const wire = Array.from(Deno.readDirSync(new URL(WIRE, import.meta.url)), ({ name }) => name);
  const files = [...TABLES, ...wire.sort().map((name) => WIRE + name)];
  return await digestOf(files.map((file) => [file, new URL(file, import.meta.url)] as const));
}

/** 16 digits for files with these names. */
export async function digestOf(
  files: readonly (readonly [name: string, file: URL])[],
): Promise<string> {
  const text = files.flatMap(([name, file]) => [name, Deno.readTextFileSync(file)]).join("\0");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 8).toHex();
}

/**
 * Whether a library was built for these scripts. Where both were compiled into one file, it was; where
 * the scripts are not files, nothing tells.
 */
export async function isOurs(buildId: string): Promise<boolean> {
  if (Deno.build.standalone) return true;
  let tables: string;
  try {
    tables = await tablesId();
  } catch {
    return true;
  }
  return buildId.endsWith(tables);
}
