import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isRuntsError, RuntsError } from "../../../lib/base/errors.ts";
import { parseIdmap } from "../../../lib/spec/values/idmap.ts";
import { formatJson, parseJson } from "../../../lib/spec/json/json.ts";
import { SpecError } from "../../../lib/spec/json/document.ts";
import { parseSpec } from "../../../lib/spec/load.ts";
import { MOUNT_OPTIONS, parseMountOptions } from "../../../lib/spec/values/mount_options.ts";
import { parseSignal, signalName } from "../../../lib/spec/values/signals.ts";
import { template } from "../../../lib/spec/template.ts";
import { validate } from "../../../lib/spec/check/config.ts";
import { FULL } from "../../support/full_spec.ts";
import type { Json } from "../../support/spec.ts";

type Path = readonly (string | number)[];

/** All places of a document. */
function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const parts = Object.entries(value).flatMap(([key, part]) => {
    return places(part, [...path, Array.isArray(value) ? Number(key) : key]);
  });
  return [path, ...parts];
}

function replaced(path: Path, value: unknown): unknown {
  if (path.length === 0) return value;
  const document = structuredClone(FULL);
  let at = document as Json;
  for (const key of path.slice(0, -1)) at = at[key] as Json;
  at[path.at(-1) as string] = value;
  return document;
}

/** Values of all kinds, with those that are likely to be mistaken. */
const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, {}, [], "", "/", 0, -1, 1.5, 2 ** 32, 2 ** 53, 2 ** 64, [null]),
  fc.constantFrom<unknown>([{}], [[]], [""], { "": null }, { __proto__: 1 }, "constructor", "\0"),
  fc.bigInt(),
);

const mutation = fc.tuple(
  fc.array(fc.tuple(fc.constantFrom(...places(FULL)), anyValue), { minLength: 1, maxLength: 1 }),
).map(([[change]]) => replaced(...(change as [Path, unknown])));

Deno.test("the full configuration is valid", () => {
  assertEquals(validate(FULL), []);
});

Deno.test("validate gives findings for any JSON value, and never fails", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      for (const finding of validate(value)) assert(finding.message.length > 0);
    }),
    { numRuns: 500 },
  );
});

Deno.test("validate gives findings for any change of a configuration, and never fails", () => {
  fc.assert(
    fc.property(mutation, (document) => {
      for (const { message, rule, path } of validate(document)) {
        assert(!message.includes("\n") && !message.includes("undefined"), message);
        assert(rule.length > 0 && !path.includes("undefined"), path);
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("validate points at the place that was broken by a value of a wrong type", () => {
  const wrong = fc.constantFrom(...places(FULL)).filter((path) => path.length > 0);
  fc.assert(
    fc.property(wrong, (path) => {
      const findings = validate(replaced(path, 1.5));
      const top = String(path[0]);
      assert(findings.length > 0, JSON.stringify(path));
      assert(findings.some((finding) => finding.path.startsWith(top)), JSON.stringify(findings));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("parseSpec throws a SpecError or returns, whatever the text", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    mutation.map((document) => formatJson(document)),
    fc.tuple(fc.nat(3000), fc.string({ maxLength: 3 })).map(([offset, insert]) => {
      const text = JSON.stringify(FULL);
      return text.slice(0, offset) + insert + text.slice(offset + 1);
    }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseSpec(text, "config.json");
      } catch (error) {
        assert(isRuntsError(error), Deno.inspect(error));
        assert(error.message.includes("config.json"), error.message);
        if (error instanceof SpecError) assert(error.findings.length > 0);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseJson accepts what JSON.parse accepts, but for doubled keys and depth", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      let expected: unknown;
      let error: unknown;
      try {
        expected = JSON.parse(text);
      } catch (caught) {
        error = caught;
      }
      if (error !== undefined) {
        try {
          parseJson(text, "f");
        } catch (caught) {
          assert(caught instanceof RuntsError);
          assert(/^f:\d+:\d+: malformed JSON: /.test(caught.message), caught.message);
          return;
        }
        throw new Error(`accepted ${text}`);
      }
      assertEquals(rounded(parseJson(text, "f")), rounded(expected));
    }),
    { numRuns: 2000 },
  );
});

/** Without nulls, and with numbers as JSON.parse has them. */
function rounded(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== null);
  return Object.fromEntries(entries.map(([key, part]) => [key, rounded(part)]));
}

Deno.test("parseMountOptions takes any options; attributes are never set and cleared", () => {
  const option = fc.oneof(fc.constantFrom(...Object.keys(MOUNT_OPTIONS)), fc.string());
  fc.assert(
    fc.property(fc.array(option), (options) => {
      const parsed = parseMountOptions(options);
      const pairs = [[parsed.attrSet, parsed.attrClear], [parsed.recSet, parsed.recClear]];
      for (const [set = 0, clear = 0] of pairs) {
        assertEquals(set & clear & ~0x70, 0);
        // The access-time setting is an enumeration: its mask is cleared whole or not at all.
        assert((clear & 0x70) === 0x70 || (clear & 0x70) === 0 && (set & 0x70) === 0);
      }
      const twice = parseMountOptions([...options, ...options]);
      assertEquals({ ...twice, data: [], propagation: [] }, {
        ...parsed,
        data: [],
        propagation: [],
      });
    }),
    { numRuns: 1000 },
  );
});

Deno.test("parseIdmap and parseSignal throw nothing but RuntsError", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseIdmap, parseSignal]) {
        try {
          parse(text);
        } catch (error) {
          assert(isRuntsError(error));
        }
      }
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(fc.integer({ min: 0, max: 64 }), (number) => {
    assertEquals(parseSignal(signalName(number)), number);
  }));
});

Deno.test("the template survives a round trip", () => {
  assertEquals(parseSpec(formatJson(template()), "f"), structuredClone(template()));
});
