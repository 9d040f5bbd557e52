import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { formatJson, parseJson } from "../../../lib/spec/json/json.ts";

const MALFORMED: Record<string, string> = {
  "": "f:1:1: malformed JSON: the text is empty",
  " \n ": "f:2:2: malformed JSON: the text is empty",
  "{": "f:1:2: malformed JSON: unexpected end of the text",
  '{"a":1,}': 'f:1:8: malformed JSON: expected a key, found "}"',
  '{\n  "a": 1\n  "b": 2\n}': 'f:3:3: malformed JSON: expected "," or "}", found "\\"b\\""',
  '{"a" 1}': 'f:1:6: malformed JSON: expected ":", found "1"',
  "{1:2}": 'f:1:2: malformed JSON: expected a key or "}", found "1"',
  "[1,,2]": 'f:1:4: malformed JSON: expected a value, found ","',
  "[1 2]": 'f:1:4: malformed JSON: expected "," or "]", found "2"',
  "[,]": 'f:1:2: malformed JSON: expected a value or "]", found ","',
  "[1}": 'f:1:3: malformed JSON: expected "," or "]", found "}"',
  "{} x": "f:1:4: malformed JSON: there is text after the end of the document",
  "// no": 'f:1:1: malformed JSON: unexpected "//"',
  '{"a":tru}': 'f:1:6: malformed JSON: unexpected "tru}"',
  '{"a":01}': 'f:1:6: malformed JSON: unexpected "01}"',
  '{"a":"x\ty"}': 'f:1:6: malformed JSON: unexpected "\\"x"',
  '{"a":"\\x"}': 'f:1:6: malformed JSON: unexpected "\\"\\\\x\\"}"',
  '{"a":1,"a":2}': "f:1:8: the key a comes twice",
  '{"a":[{"b":1},{"c.d":1,"c.d":2}]}': 'f:1:24: the key a[1]["c.d"] comes twice',
  '{"\\u0061":1,"a":2}': "f:1:13: the key a comes twice",
  '{"a\\\\":1,"b":1,"b":2}': "f:1:16: the key b comes twice",
};

Deno.test("parseJson tells line and column of a fault", () => {
  for (const [text, message] of Object.entries(MALFORMED)) {
    assertEquals(assertThrows(() => parseJson(text, "f"), RuntsError).message, message, text);
  }
});

Deno.test("parseJson is not misled by colons in strings", () => {
  const value = { ":": ':":', 'a":': ['":', ":", '\\":', "\\"], "b\\": { 'c\\"': 1 }, e: "x" };
  assertEquals(parseJson(JSON.stringify(value), "f"), value);
  assertEquals(parseJson(JSON.stringify(value, null, "\t"), "f"), value);
});

Deno.test("parseJson keeps every digit of integers, and formatJson writes them", () => {
  const text =
    '{"a":18446744073709551615,"b":[-9223372036854775808],"c":9007199254740991,"d":1.5,"e":1e30}';
  assertEquals(parseJson(text, "f"), {
    a: 18446744073709551615n,
    b: [-9223372036854775808n],
    c: 9007199254740991,
    d: 1.5,
    e: 1e30,
  });
  assertEquals(formatJson(parseJson(text, "f")), text.replace("1e30", "1e+30"));
  assertEquals(formatJson({ a: 1n }, "\t"), '{\n\t"a": 1\n}');
});

Deno.test("parseJson leaves out properties that are null, but no entries", () => {
  assertEquals(parseJson('{"a":null,"b":{"c":null},"d":[null]}', "f"), { b: {}, d: [null] });
});

Deno.test("parseJson refuses what is nested too deeply", () => {
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const message = 'parse "f": nested deeper than 100 levels';
  parseJson(deep(100), "f");
  for (const text of [deep(102), deep(50_000), `[18446744073709551615,${deep(50_000)}]`]) {
    assertEquals(assertThrows(() => parseJson(text, "f"), RuntsError).message, message);
  }
});
