import { assertEquals } from "@std/assert";
import { specText, template } from "../../../lib/spec/template.ts";
import { validate } from "../../../lib/spec/check/config.ts";

Deno.test("template is valid in all its forms", () => {
  for (const rootless of [undefined, { uid: 1000, gid: 1000 }]) {
    for (const cgroupNamespace of [false, true]) {
      assertEquals(validate(template({ ...(rootless && { rootless }), cgroupNamespace })), []);
    }
  }
});

Deno.test("specText is indented by tabs and begins with the version", () => {
  const lines = specText(template()).split("\n");
  assertEquals(lines.slice(0, 4), [
    "{",
    '\t"ociVersion": "1.3.0",',
    '\t"process": {',
    '\t\t"terminal": true,',
  ]);
  assertEquals(lines.at(-1), "}");
});

Deno.test("template for a user who is not root maps that user and needs no privilege", () => {
  const spec = template({ rootless: { uid: 1000, gid: 100 } });
  assertEquals(spec.linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assertEquals(spec.linux?.gidMappings, [{ containerID: 0, hostID: 100, size: 1 }]);
  assertEquals(spec.linux?.namespaces?.map(({ type }) => type), [
    "pid",
    "ipc",
    "uts",
    "mount",
    "user",
  ]);
  assertEquals(spec.linux?.resources, undefined);
  assertEquals(spec.mounts?.find((mount) => mount.destination === "/sys")?.options?.[0], "rbind");
  assertEquals(JSON.stringify(spec).includes("gid=5"), false);
});

/** What an installed runc prints, made comparable; undefined without runc. */
async function ofRunc(...options: string[]): Promise<Record<string, unknown> | undefined> {
  const bundle = await Deno.makeTempDir({ prefix: "runts-spec-" });
  try {
    const runc = new Deno.Command("runc", { args: ["spec", ...options, "--bundle", bundle] });
    const { success } = await runc.output();
    if (!success) throw new Error("runc spec failed");
    const spec = JSON.parse(await Deno.readTextFile(`${bundle}/config.json`));
    delete spec.process.capabilities.ambient; // which runc 1.1 has, and cannot grant
    return { ...spec, ociVersion: "1.3.0", hostname: "runts" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  } finally {
    await Deno.remove(bundle, { recursive: true });
  }
}

const hasRunc = await ofRunc() !== undefined;

Deno.test({
  name: "template is what runc spec writes, but for name, version and ambient capabilities",
  ignore: !hasRunc,
  async fn() {
    const cgroupNamespace = JSON.stringify(await ofRunc()).includes('{"type":"cgroup"}');
    const rootless = { uid: Deno.uid()!, gid: Deno.gid()! };
    assertEquals<unknown>(template({ cgroupNamespace }), await ofRunc());
    assertEquals<unknown>(
      template({ cgroupNamespace, rootless }),
      await ofRunc("--rootless"),
    );
  },
});
