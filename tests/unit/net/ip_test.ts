import { assertEquals } from "@std/assert";
import { ipBytes, ipText } from "../../../lib/net/ip.ts";

Deno.test("addresses are bytes, and their shortest text again", () => {
  const cases: [text: string, bytes: number[], shortest?: string][] = [
    ["10.0.3.255", [10, 0, 3, 255]],
    ["::", Array(16).fill(0)],
    ["::1", [...Array(15).fill(0), 1]],
    ["fe80::", [0xfe, 0x80, ...Array(14).fill(0)]],
    ["fd00:0:0:1:0:0:0:5", [0xfd, 0, 0, 0, 0, 0, 0, 1, ...Array(7).fill(0), 5], "fd00:0:0:1::5"],
    ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["1:0:3:4:5:6:7:8", [0, 1, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    [
      "::ffff:192.0.2.1",
      [...Array(10).fill(0), 255, 255, 192, 0, 2, 1],
      "::ffff:c000:201",
    ],
  ];
  for (const [text, bytes, shortest = text] of cases) {
    assertEquals([...ipBytes(text)], bytes, text);
    assertEquals(ipText(ipBytes(text)), shortest);
  }
});
