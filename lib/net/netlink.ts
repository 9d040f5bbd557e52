/** Messages of rtnetlink(7): links and addresses. The kernel's byte order is little-endian here. */

import { fromCString } from "../../ffi/call.ts";
import { EAGAIN } from "../base/errno.ts";
import { RuntsError } from "../base/errors.ts";

/** One message of an answer. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  /** What follows the header: a fixed structure and attributes. */
  readonly body: Uint8Array;
}

/** Number and payload. */
export type Attribute = readonly [type: number, value: Uint8Array];

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTM_NEWADDR = 20;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;

const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
/** The answer is a snapshot that changed while it was taken. */
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

const HEADER = 16;
/** struct nlmsgerr: the error number and the header of the request. */
const ERROR_SIZE = 4 + HEADER;

const aligned = (length: number) => (length + 3) & ~3;

/** One request: header, fixed structure, attributes. */
export function request(
  type: number,
  flags: number,
  fixed: Uint8Array,
  attributes: readonly Attribute[] = [],
): Uint8Array<ArrayBuffer> {
  const sizes = attributes.map(([, value]) => aligned(4 + value.length));
  const length = HEADER + sizes.reduce((sum, size) => sum + size, aligned(fixed.length));
  const bytes = new Uint8Array(new ArrayBuffer(length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | NLM_F_REQUEST, true);
  bytes.set(fixed, HEADER);
  let at = HEADER + aligned(fixed.length);
  for (const [index, [kind, value]] of attributes.entries()) {
    view.setUint16(at, 4 + value.length, true);
    view.setUint16(at + 2, kind, true);
    bytes.set(value, at + 4);
    at += sizes[index]!;
  }
  return bytes;
}

/** The messages of an answer. What is cut off at its end is left out. */
export function* messages(reply: Uint8Array): Generator<NetlinkMessage> {
  for (let at = 0; at + HEADER <= reply.length;) {
    const view = viewOf(reply.subarray(at));
    const length = view.getUint32(0, true);
    if (length < HEADER || at + length > reply.length) return;
    yield {
      type: view.getUint16(4, true),
      flags: view.getUint16(6, true),
      body: reply.subarray(at + HEADER, at + length),
    };
    at += aligned(length);
  }
}

/** The attributes behind the fixed structure of a message. */
export function attributesOf(body: Uint8Array, fixedSize: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = aligned(fixedSize); at + 4 <= body.length;) {
    const view = viewOf(body.subarray(at));
    const length = view.getUint16(0, true);
    if (length < 4 || at + length > body.length) break;
    // The two highest bits say nested and network byte order.
    found.set(view.getUint16(2, true) & 0x3fff, body.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return found;
}

/**
 * The messages of an answer before the one that ends it.
 *
 * @throws RuntsError with the kernel's error number and, as hint, what it says about it
 */
export function answer(reply: Uint8Array, operation: string): NetlinkMessage[] {
  const found: NetlinkMessage[] = [];
  for (const message of messages(reply)) {
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) throw new RuntsError(operation, { errno: EAGAIN });
    if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
      found.push(message);
      continue;
    }
    const error = message.body.length < 4 ? 0 : viewOf(message.body).getInt32(0, true);
    if (error < 0) throw new RuntsError(operation, { errno: -error, hint: kernelText(message) });
  }
  return found;
}

function kernelText({ type, flags, body }: NetlinkMessage): string | undefined {
  if (type !== NLMSG_ERROR || (flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const text = attributesOf(body, ERROR_SIZE).get(NLMSGERR_ATTR_MSG);
  return text && `the kernel says ${JSON.stringify(fromCString(text))}`;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 32-bit number as an attribute holds it. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

/** NUL-terminated text as an attribute holds it. */
export function toCString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}
