/** Strings that hold bytes which are no UTF-8. */

import { assertEquals, assertThrows } from "@std/assert";
import { decodeBytes, encodeText } from "../../../lib/base/bytes.ts";
import { oneLine, quote, RuntsError } from "../../../lib/base/errors.ts";
import { encodePlan } from "../../../lib/wire/encode.ts";
import { parseSpec } from "../../../lib/spec/load.ts";
import { BUILD_ID } from "../../support/plan.ts";

Deno.test("every sequence of bytes is itself again", () => {
  const pieces = ["", "a", "é", "€", "😀", "\ufeff", "\ufffd", "\0"];
  const encoder = new TextEncoder();
  for (const piece of pieces) {
    assertEquals(encodeText(decodeBytes(encoder.encode(piece))), encoder.encode(piece));
    for (let byte = 0; byte < 256; byte++) {
      for (let other = 0x70; other < 256; other += 29) {
        const bytes = new Uint8Array([byte, ...encoder.encode(piece), other, byte]);
        assertEquals(encodeText(decodeBytes(bytes)), bytes);
      }
    }
  }
  // Surrogates in UTF-8, too long forms, and what lies beyond Unicode.
  for (const hex of ["eda080", "edbfbf", "c080", "e08080", "f4908080", "f0"]) {
    const bytes = Uint8Array.fromHex(hex);
    assertEquals(encodeText(decodeBytes(bytes)), bytes);
  }
});

Deno.test("bytes in messages are shown as such", () => {
  const text = decodeBytes(new Uint8Array([0x61, 0xe4, 0x22, 0xff]));
  assertEquals(quote(text), '"a\\xe4\\"\\xff"');
  assertEquals(oneLine(text), 'a\\xe4"\\xff');
  assertEquals(oneLine("\ud800"), "\ufffd");
});

Deno.test("a plan has the bytes of its texts", () => {
  const name = decodeBytes(new Uint8Array([0xe4, 0x62]));
  const plan = encodePlan([{ op: "hostname", from: "", name }], BUILD_ID);
  assertEquals(plan.slice(-7), new Uint8Array([2, 0, 0, 0, 0xe4, 0x62, 0]));
});

Deno.test("half a surrogate pair in a configuration is refused", () => {
  const config = (text: string) =>
    `{"ociVersion":"1.0.2","root":{"path":"r"},"annotations":{"a":"${text}"}}`;
  for (const half of ["\\ud83d", "\\uDE00x", "\\\\\\udce4"]) {
    const said = half.toLowerCase().replace(/^\\\\/, "").slice(0, 6).replace(/^\\\\/, "\\");
    const error = assertThrows(() => parseSpec(config(half), "c.json"), RuntsError);
    assertEquals(
      error.message,
      `parse "c.json": ${said} is half a surrogate pair, and no character`,
    );
  }
  for (const whole of ["\\ud83d\\ude00", "\\\\udce4", "plain"]) parseSpec(config(whole), "c.json");
});
