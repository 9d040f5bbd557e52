/** Root filesystems that containerd wants mounted. */

import { assertEquals } from "@std/assert";
import { load } from "../../../lib/runtime/load.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { mountRootfs, unmountRootfs } from "../../../lib/shim/rootfs.ts";

/** Together their paths are longer than a page, which is all that mount(2) takes. */
const LAYERS = 60;
const NAME = "a-name-as-long-as-those-of-snapshots-of-containerd-are-with-their-directories";

Deno.test("an overlay of many layers", async () => {
  const runtime = await load(new Runtime());
  const folder = Deno.makeTempDirSync();
  const rootfs = `${folder}/bundle/rootfs`;
  try {
    const layers = Array.from({ length: LAYERS }, (_, n) => `${folder}/${NAME}/${n}/fs`);
    for (const [n, layer] of layers.entries()) {
      Deno.mkdirSync(layer, { recursive: true });
      Deno.writeTextFileSync(`${layer}/file${n}`, `${n}`);
    }
    for (const name of ["upper", "work", "bundle"]) Deno.mkdirSync(`${folder}/${name}`);
    const options = [
      "index=off",
      `workdir=${folder}/work`,
      `upperdir=${folder}/upper`,
      `lowerdir=${layers.join(":")}`,
    ];
    const here = Deno.cwd();
    mountRootfs(rootfs, [{ type: "overlay", source: "overlay", target: "", options }]);
    assertEquals(Deno.cwd(), here);
    const names = Array.from(Deno.readDirSync(rootfs), ({ name }) => name).sort();
    assertEquals(names, layers.map((_, n) => `file${n}`).sort());
    Deno.writeTextFileSync(`${rootfs}/new`, "");
    assertEquals(Deno.statSync(`${folder}/upper/new`).isFile, true);
    unmountRootfs(runtime.caller, rootfs);
    assertEquals([...Deno.readDirSync(rootfs)], []);
  } finally {
    unmountRootfs(runtime.caller, rootfs);
    Deno.removeSync(folder, { recursive: true });
  }
});
