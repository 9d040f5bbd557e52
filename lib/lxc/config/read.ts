/** Reads a configuration: its file, those that it includes, and what the command line adds. */

import type { CallersFiles } from "../../base/document_file.ts";
import { bareReason, quote } from "../../base/errors.ts";
import { isDirectory } from "../../base/files.ts";
import { LxcConfig } from "./config.ts";
import { LegacyNames } from "./legacy.ts";
import { readLines, splitSetting } from "./lines.ts";
import { DEFINED, faultText, type Finding, type Place } from "./place.ts";
import { combinationFindings } from "./rules.ts";
import { ROOTFS_DRIVERS } from "./values_more.ts";

/** Where files are read from. */
interface Files {
  /** The text of a file; throws what hinders. */
  readonly read: CallersFiles["read"];
  /** The names in a directory; undefined if it is none. */
  readonly list: (path: string) => readonly string[] | undefined;
}

/** Those of the host, their texts read by `read`. */
export function hostFiles(read: CallersFiles["read"]): Files {
  return {
    read,
    list: (path) =>
      isDirectory(path) ? Array.from(Deno.readDirSync(path), ({ name }) => name) : undefined,
  };
}

/** A configuration and what is to be said of it. */
export interface ReadConfig {
  readonly config: LxcConfig;
  /** What is wrong, in the order of the lines. */
  readonly findings: readonly Finding[];
  /** What works and should be written otherwise. */
  readonly warnings: readonly Finding[];
  /** Every file that was read, in the order of reading. */
  readonly files: readonly string[];
}

/** A path that a drive's name was put in front of by another line. */
interface Backend {
  readonly driver: string;
  readonly at: Place;
}

class Reader {
  readonly config = new LxcConfig();
  readonly findings: Finding[] = [];
  readonly warnings: Finding[] = [];
  readonly files: string[] = [];
  readonly #legacy = new LegacyNames();
  readonly #open: string[] = [];
  #backend: Backend | undefined;

  constructor(private readonly source: Files) {}

  /** Reads one file; `from`: the line that includes it. */
  async file(path: string, from?: Place): Promise<void> {
    if (this.#open.includes(path)) {
      this.findings.push({ at: from!, message: faultText(path, "includes itself") });
      return;
    }
    let text: string;
    try {
      text = await this.source.read(path);
    } catch (cause) {
      const at = from ?? { file: path, line: 1, key: "" };
      const named = from === undefined ? "" : `${quote(path)}: `;
      this.findings.push({ at, message: `${named}${bareReason(cause)}` });
      return;
    }
    this.files.push(path);
    this.#open.push(path);
    for (const { number, key, value } of readLines(text)) {
      await this.line(key, value, { file: path, line: number, key });
    }
    this.#open.pop();
  }

  /** What one line says. */
  async line(key: string, value: string | undefined, at: Place): Promise<void> {
    if (value === undefined) {
      const place = { ...at, key: "" };
      this.findings.push({ at: place, message: faultText(key, "has no =, as KEY = VALUE") });
    } else if (key === "lxc.include") await this.#include(value, at);
    else this.#set(key, value, at);
  }

  #set(key: string, value: string, at: Place): void {
    const old = this.#legacy.find(key);
    if (old === undefined) this.#take(key, value, at);
    else if (old.kind === "renamed") {
      this.warnings.push({ at, message: `is the old name of ${old.key}` });
      this.#take(old.key, value, at);
    } else if (old.kind === "gone") this.warnings.push({ at, message: `is ignored: ${old.why}` });
    else if (old.kind === "backend") {
      this.warnings.push({ at, message: "is written in front of lxc.rootfs.path today" });
      this.#backend = value === "" ? undefined : { driver: value, at };
    } else {
      const message = "belongs to no network device: lxc.network.type begins one";
      this.findings.push({ at, message });
    }
  }

  #take(key: string, value: string, at: Place): void {
    this.findings.push(...this.config.take(key, value, at));
  }

  async #include(value: string, at: Place): Promise<void> {
    if (value === "") return;
    const names = this.source.list(value);
    if (names === undefined) {
      // A directory of settings that others may put there need not be there.
      if (!value.endsWith("/")) await this.file(value, at);
      return;
    }
    const directory = value.replace(/\/+$/, "");
    for (const name of names.filter((one) => one.endsWith(".conf")).toSorted()) {
      await this.file(`${directory}/${name}`, at);
    }
  }

  /** An old driver goes in front of a path that has none; its line may come before or after. */
  applyBackend(): void {
    if (this.#backend === undefined) return;
    const { driver, at } = this.#backend;
    const path = this.config.get("lxc.rootfs.path");
    if (path === undefined || path.value.driver !== "dir" || path.text.startsWith("dir:")) return;
    if (!(ROOTFS_DRIVERS as readonly string[]).includes(driver.replace("overlayfs", "overlay"))) {
      const message = faultText(driver, `is not one of ${ROOTFS_DRIVERS.join(", ")}`);
      this.findings.push({ at, message });
      return;
    }
    this.#take("lxc.rootfs.path", `${driver}:${path.text}`, path.at);
  }
}

/** What a configuration is read from. */
interface ConfigSource {
  /** Path of the file; absent: there is none. */
  readonly file?: string;
  /** `KEY=VALUE`, each; they come last. */
  readonly define?: readonly string[];
}

/** Reads all there is, whatever is wrong with it. */
export async function readConfig(
  { file, define = [] }: ConfigSource,
  files: Files,
): Promise<ReadConfig> {
  const reader = new Reader(files);
  if (file !== undefined) await reader.file(file);
  for (const [index, setting] of define.entries()) {
    const { key, value } = splitSetting(setting.trim());
    await reader.line(key, value, { file: DEFINED, line: index + 1, key });
  }
  reader.applyBackend();
  reader.findings.push(...combinationFindings(reader.config));
  return reader;
}
