import { assertEquals, assertThrows } from "@std/assert";
import { formatSize, parseDuration, parseInteger, parseSize } from "../../../lib/cli/size.ts";
import { resourcesOf } from "../../../lib/commands/update.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

Deno.test("parseSize() takes what runc takes", () => {
  const cases: Record<string, number | bigint> = {
    "0": 0,
    "-1": -1,
    "4096": 4096,
    "1k": 1024,
    "512m": 512 * 2 ** 20,
    "512 MB": 512 * 2 ** 20,
    "1.5GiB": 1.5 * 2 ** 30,
    "2t": 2 * 2 ** 40,
    "1b": 1,
    "9223372036854771712": 9223372036854771712n,
    "8192p": 9223372036854775808n,
    "8192.0p": 9223372036854775808n,
  };
  for (const [text, bytes] of Object.entries(cases)) {
    assertEquals(parseSize("x", text), bytes, text);
  }
});

Deno.test("parseSize() refuses the rest", () => {
  for (
    const text of ["", "m", "12x", "-5", "1e3", "-1k", "0x10", "1..5g", " 1", "1 ", "1\n", "1  k"]
  ) {
    const error = assertThrows(() => parseSize('option "--memory"', text), RuntsError);
    assertEquals(
      error.message,
      `option "--memory": ${JSON.stringify(text)} is not a size: ` +
        'as "512m", "1.5g" or a number of bytes',
    );
  }
});

Deno.test("parseInteger() keeps every digit", () => {
  assertEquals(parseInteger("x", "-1"), -1);
  assertEquals(parseInteger("x", "+7"), 7);
  assertEquals(parseInteger("x", "18446744073709551615"), 18446744073709551615n);
  for (const text of ["many", "", " 9", "9 ", "0x10", "1e3", "1.5", "--1", "9".repeat(21)]) {
    assertThrows(
      () => parseInteger('option "--cpu-share"', text),
      RuntsError,
      `option "--cpu-share": ${JSON.stringify(text)} is not a whole number`,
    );
  }
});

Deno.test("parseDuration() takes Go's durations and seconds", () => {
  assertEquals(parseDuration("x", "5s"), 5000);
  assertEquals(parseDuration("x", "500ms"), 500);
  assertEquals(parseDuration("x", "1m30s"), 90_000);
  assertEquals(parseDuration("x", "1.5h"), 5_400_000);
  assertEquals(parseDuration("x", "2"), 2000);
  assertEquals(["0", "0s"].map((text) => parseDuration("x", text, 0)), [0, 0]);
  for (const text of ["", "0", "0s", "-5s", "5 s", "s", "5x", "5s5"]) {
    assertThrows(
      () => parseDuration('option "--interval"', text),
      RuntsError,
      `option "--interval": ${JSON.stringify(text)} is not a duration: as "500ms" or "5s"`,
    );
  }
});

Deno.test("formatSize() has two or three digits", () => {
  assertEquals([0, 1023, 1024, 1536, 200 * 2 ** 20, 3 * 2 ** 40].map(formatSize), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "200 MiB",
    "3.0 TiB",
  ]);
});

Deno.test("resourcesOf() makes the resources document that options stand for", () => {
  assertEquals(resourcesOf({}), {});
  assertEquals(
    resourcesOf({
      memory: "512m",
      memorySwap: "-1",
      memoryReservation: "1g",
      cpuShare: "512",
      cpuQuota: "-1",
      cpuPeriod: "100000",
      cpuBurst: "1000",
      cpuRtRuntime: "950000",
      cpuRtPeriod: "1000000",
      cpuIdle: "1",
      cpusetCpus: "0-1",
      cpusetMems: "0",
      pidsLimit: "20",
      blkioWeight: "300",
      kernelMemory: "1",
    }),
    {
      memory: { limit: 512 * 2 ** 20, reservation: 2 ** 30, swap: -1 },
      cpu: {
        shares: 512,
        quota: -1,
        period: 100000,
        burst: 1000,
        realtimeRuntime: 950000,
        realtimePeriod: 1000000,
        idle: 1,
        cpus: "0-1",
        mems: "0",
      },
      pids: { limit: 20 },
      blockIO: { weight: 300 },
    },
  );
});
