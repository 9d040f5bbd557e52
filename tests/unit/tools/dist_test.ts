/** Archives have the same bytes whenever and by whomever they are made. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { setTimes, sums, tarGz } from "../../../tools/dist/archive.ts";
import { billOfMaterials } from "../../../tools/dist/sbom.ts";
import { makeDeb } from "../../../tools/dist/deb.ts";
import { examplesIn, put } from "../../../tools/dist/layout.ts";

const TIME = 1_700_000_000;

/** Makes both archives of the same small tree; gives their sums. */
async function make(order: readonly string[], mode: number): Promise<string> {
  const work = await Deno.makeTempDir({ prefix: "runts-dist-test-" });
  try {
    for (const name of order) {
      await put(`${work}/root`, `usr/share/${name}`, `text of ${name}`, mode);
    }
    await Deno.symlink("a", `${work}/root/usr/share/link`);
    await setTimes(`${work}/root`, TIME);
    await Deno.mkdir(`${work}/release`);
    await tarGz(`${work}/root`, `${work}/release/x.tar.gz`, "x-1");
    await makeDeb(`${work}/root`, `${work}/release/x.deb`, { time: TIME, arch: "amd64" });
    return await sums(`${work}/release`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

Deno.test("the same files give the same archives", async () => {
  const first = await make(["a", "b", "c/d"], 0o644);
  assertEquals(await make(["c/d", "b", "a"], 0o600), first);
});

Deno.test("a tree is packed below its name, with owners and times that say nothing", async () => {
  const work = await Deno.makeTempDir({ prefix: "runts-dist-test-" });
  try {
    await put(`${work}/root`, "usr/bin/x", "x", 0o755);
    await setTimes(`${work}/root`, TIME);
    await tarGz(`${work}/root`, `${work}/x.tar.gz`, "x-1");
    const { stdout } = await new Deno.Command("tar", {
      args: ["--utc", "--full-time", "-tvzf", `${work}/x.tar.gz`],
    }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    assertEquals(lines.map((line) => line.split(/ +/).filter((_, i) => i !== 2).join(" ")), [
      "drwxr-xr-x 0/0 2023-11-14 22:13:20 x-1/",
      "drwxr-xr-x 0/0 2023-11-14 22:13:20 x-1/usr/",
      "drwxr-xr-x 0/0 2023-11-14 22:13:20 x-1/usr/bin/",
      "-rwxr-xr-x 0/0 2023-11-14 22:13:20 x-1/usr/bin/x",
    ]);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
});

Deno.test("every file that docs/clients.md shows is an example, for the place of the package", () => {
  const page = Deno.readTextFileSync(new URL("../../../docs/clients.md", import.meta.url));
  const examples = examplesIn(page);
  assertEquals(examples.map(([name]) => name), [
    "containers-containers.conf",
    "profile.d-buildah.sh",
    "containerd-config-shim.toml",
    "containerd-config.toml",
    "runtimeclass.yaml",
    "docker-daemon.json",
  ]);
  assertEquals(examples.filter(([, text]) => text.includes("/usr/local")), []);
  assertStringIncludes(examples[3]![1], 'BinaryName = "/usr/bin/runts"\n');
});

Deno.test("the bill of materials is CycloneDX 1.5, and says what the executable says of itself", async () => {
  const about = "commit: abc\ndeno: 2.9.6\nv8: 14.0.1\nfront: def\n";
  const text = await billOfMaterials(["sh", "-c", `printf '${about}'`], TIME);
  const bill = JSON.parse(text);
  assertEquals([bill.bomFormat, bill.specVersion, bill.version], ["CycloneDX", "1.5", 1]);
  assertEquals(bill.metadata.timestamp, "2023-11-14T22:13:20.000Z");
  assertEquals(bill.metadata.component.properties, [
    { name: "runts:commit", value: "abc" },
    { name: "runts:front", value: "def" },
  ]);
  const refs = bill.components.map((one: Record<string, string>) => one["bom-ref"]);
  assertEquals(refs, ["deno", "v8", "musl"]);
  assertEquals(bill.components.map(({ purl }: { purl: string }) => purl.replace(/@.*/, "")), [
    "pkg:github/denoland/deno",
    "pkg:github/v8/v8",
    "pkg:generic/musl",
  ]);
  const known = new Set(["runts", ...refs]);
  for (const { ref, dependsOn } of bill.dependencies) {
    assertEquals([ref, ...dependsOn].filter((one) => !known.has(one)), []);
  }
  assertEquals(await billOfMaterials(["sh", "-c", `printf '${about}'`], TIME), text);
});
