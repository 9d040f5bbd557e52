/** The bill of materials: what is inside of the executable (CycloneDX 1.5, ECMA-424). */

import { VERSION } from "../../lib/base/version.ts";
import { output } from "../support/run.ts";

/** A part of the executable. */
interface Component {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly description: string;
  readonly purl: string;
}

/**
 * The document.
 *
 * @param command words that run the executable
 * @param time in seconds since 1970
 */
export async function billOfMaterials(
  [program, ...words]: readonly [string, ...string[]],
  time: number,
): Promise<string> {
  const about = await output(program, [...words, "--version"]);
  const line = (name: string) => new RegExp(`^${name}: (\\S+)`, "m").exec(about)?.[1] ?? "unknown";
  const musl = await muslVersion();
  const inside: Component[] = [
    {
      ...{ name: "deno", version: line("deno"), licence: "MIT", purl: "github/denoland/deno" },
      description:
        "The JavaScript runtime; the crates of Rust that it consists of are in its own Cargo.lock",
    },
    {
      ...{ name: "v8", version: line("v8"), licence: "BSD-3-Clause", purl: "github/v8/v8" },
      description: "The JavaScript engine, a part of Deno",
    },
    {
      ...{ name: "musl", version: musl, licence: "MIT", purl: "generic/musl" },
      description: "The C library of init and of the monitor",
    },
  ];
  const commit = line("commit");
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(time * 1000).toISOString(),
      component: {
        ...{ type: "application", "bom-ref": "runts", name: "runts", version: VERSION },
        licenses: [{ license: { id: "MIT" } }],
        properties: [
          { name: "runts:commit", value: commit },
          { name: "runts:front", value: line("front") },
        ],
      },
    },
    components: inside.map(({ name, version, licence, description, purl }) => ({
      ...{ type: "library", "bom-ref": name, name, version, description },
      licenses: [{ license: { id: licence } }],
      purl: `pkg:${purl}@${version}`,
    })),
    dependencies: [
      { ref: "runts", dependsOn: ["deno", "musl"] },
      { ref: "deno", dependsOn: ["v8"] },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** As the package of the compiler has it. */
async function muslVersion(): Promise<string> {
  try {
    const text = await output("dpkg-query", ["--show", "--showformat=${Version}", "musl-dev"]);
    return text.replace(/-.*/, "");
  } catch {
    return "unknown";
  }
}
