/** Calls that go on on another thread, and kills: rules that no compiler looks after. */

import { assertEquals } from "@std/assert";
import { PROJECT } from "../../support/runtime.ts";

function* sources(...folders: string[]): Generator<[path: string, text: string]> {
  for (const folder of folders) {
    for (const entry of Deno.readDirSync(`${PROJECT}/${folder}`)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) yield* sources(path);
      else if (path.endsWith(".ts")) yield [path, Deno.readTextFileSync(`${PROJECT}/${path}`)];
    }
  }
}

/** Functions that are given buffers and run on another thread. */
function functionsAside(): string[] {
  const table = /^ {2}(\w+): \{([^}]*)nonblocking: true/gm;
  return [...sources("ffi")].flatMap(([, text]) =>
    [...text.matchAll(table)].filter(([, , body]) => body!.includes('"buffer"')).map(([, name]) =>
      name!
    )
  );
}

Deno.test("every buffer that another thread works on is held", () => {
  const names = functionsAside();
  assertEquals(names.length >= 3, true, names.join());
  for (const name of names) {
    const uses = [...sources("ffi")].flatMap(([, text]) =>
      [
        ...text.matchAll(new RegExp(`\\.${name}\\(`, "g")),
      ].map(({ index }) => text.slice(index - 60, index + 200))
    );
    assertEquals(uses.length > 0, true, `${name} is not used`);
    for (const use of uses) assertEquals(/\bholding\(/.test(use), true, use);
  }
});

Deno.test("nobody is signalled by process id", () => {
  const found = [...sources("lib", "ffi")].filter(([, text]) =>
    /\bDeno\.kill\b|\.kill\("SIG/.test(text)
  );
  assertEquals(found.map(([path]) => path), []);
});
