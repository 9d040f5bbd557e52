/** What a front says to a warm brain (c/include/front.h), beside what monitors say. */

import { decodeBytes } from "../base/bytes.ts";

/** An exit code that is none: BODY_COLD. */
export const COLD = -1;

/** Digits of the id of a front: BODY_FRONT_ID_LENGTH. */
const FRONT_ID_LENGTH = 32;

/** Bytes before what a front was called with: struct body_greet. */
const GREET_SIZE = 8 + FRONT_ID_LENGTH;

/** Bits of a descriptor: BODY_DESCRIPTOR_*. */
const DescriptorFlag = { open: 1, inherited: 2, terminal: 4 } as const;

/** Steps of a foreground: BODY_FOREGROUND_*. */
export const ForegroundStep = { begin: 0, target: 1, terminal: 2, end: 3 } as const;

/** The first packet of a front. */
export interface Greeting {
  /** Of the front, and of all scripts that it was linked with. */
  readonly frontId: string;
  /** How many texts are arguments, and how many behind them are variables. */
  readonly counts: readonly [args: number, env: number];
  /** The texts; empty where they came in a file. */
  readonly texts: Uint8Array;
}

/** Undefined for what is too short for one. */
export function decodeGreeting(fields: DataView): Greeting | undefined {
  if (fields.byteLength < GREET_SIZE) return undefined;
  const id = new Uint8Array(fields.buffer, fields.byteOffset + 8, FRONT_ID_LENGTH);
  return {
    frontId: String.fromCharCode(...id),
    counts: [fields.getUint32(0, true), fields.getUint32(4, true)],
    texts: new Uint8Array(fields.buffer, fields.byteOffset + GREET_SIZE),
  };
}

/** What a front was called with. */
export interface Called {
  /** All of argv. */
  readonly args: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
}

/** Undefined where there are not as many texts as were told. */
export function decodeCalled(
  [args, env]: Greeting["counts"],
  bytes: Uint8Array,
): Called | undefined {
  const texts = decodeBytes(bytes).split("\0");
  if (texts.pop() !== "" || texts.length !== args + env) return undefined;
  return { args: texts.slice(0, args), env: texts.slice(args) };
}

/** A descriptor of a front. */
export interface FrontDescriptor {
  readonly open: boolean;
  /** It stays open when a program is executed. */
  readonly inherited: boolean;
  /** The size of the terminal, where it is one. */
  readonly terminal: { readonly rows: number; readonly cols: number } | undefined;
}

export function decodeDescriptor(fields: DataView): FrontDescriptor {
  const flags = fields.getUint32(0, true);
  return {
    open: (flags & DescriptorFlag.open) !== 0,
    inherited: (flags & DescriptorFlag.inherited) !== 0,
    terminal: (flags & DescriptorFlag.terminal) === 0
      ? undefined
      : { rows: fields.getUint16(4, true), cols: fields.getUint16(6, true) },
  };
}
