/**
 * ttrpc (https://github.com/containerd/ttrpc, PROTOCOL.md): requests and responses, and the frames that
 * they travel in. A frame is its length and stream, both 32 bits and big-endian, its type, flags, then so
 * many bytes.
 */

import { EBADMSG } from "../base/errno.ts";
import { RuntsError } from "../base/errors.ts";
import { type Decoded, decodeMessage, encodeMessage, type Message } from "../wire/protobuf.ts";

const FRAME_HEAD = 10;
/** Longest frame, without its head. */
const FRAME_MAX = 4 << 20;

const FrameType = { request: 1, response: 2 } as const;

/** Codes of google.rpc. */
export const Code = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
} as const;

const REQUEST = {
  service: [1, "string"],
  method: [2, "string"],
  payload: [3, "bytes"],
  /** In ns; 0: none. */
  timeout: [4, "int64"],
} as const satisfies Message;

const STATUS = { code: [1, "int32"], message: [2, "string"] } as const satisfies Message;
const RESPONSE = { status: [1, STATUS], payload: [2, "bytes"] } as const satisfies Message;

/** A call. */
export type Request = Decoded<typeof REQUEST>;

/** Why a call failed, as whoever called gets it. */
export class StatusError extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

export function decodeRequest(bytes: Uint8Array): Request {
  return decodeMessage(REQUEST, bytes);
}

/** The response that has this message. */
export function encodeResult(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeMessage(RESPONSE, { payload });
}

/** The response that says why there is no result. */
export function encodeFailure({ code, message }: StatusError): Uint8Array<ArrayBuffer> {
  return encodeMessage(RESPONSE, { status: { code, message } });
}

/** The frame of a request, for a stream that the caller chose: an odd number. */
export function requestFrame(
  stream: number,
  request: { service: string; method: string; payload: Uint8Array; timeout: bigint },
): Uint8Array<ArrayBuffer> {
  const data = encodeMessage(REQUEST, request);
  const bytes = new Uint8Array(FRAME_HEAD + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  view.setUint32(4, stream);
  view.setUint8(8, FrameType.request);
  bytes.set(data, FRAME_HEAD);
  return bytes;
}

/** A response that has come. Throws {@linkcode StatusError} for a failure; else gives its message. */
export function resultOf(data: Uint8Array): Uint8Array {
  const { status, payload } = decodeMessage(RESPONSE, data);
  if (status !== undefined && status.code !== Code.ok) {
    throw new StatusError(status.code, status.message);
  }
  return payload;
}

/** Puts frames together of what comes of a stream. */
export class ResponseReader {
  #kept = new Uint8Array();

  /** The responses that are whole with these bytes: their stream, and their data. */
  *add(bytes: Uint8Array): Generator<readonly [stream: number, data: Uint8Array]> {
    const all = new Uint8Array(this.#kept.length + bytes.length);
    all.set(this.#kept);
    all.set(bytes, this.#kept.length);
    const view = new DataView(all.buffer);
    let at = 0;
    while (at + FRAME_HEAD <= all.length) {
      const length = view.getUint32(at);
      if (length > FRAME_MAX) throw new RuntsError("read a ttrpc frame", { errno: EBADMSG });
      const end = at + FRAME_HEAD + length;
      if (end > all.length) break;
      if (view.getUint8(at + 8) === FrameType.response) {
        yield [view.getUint32(at + 4), all.subarray(at + FRAME_HEAD, end)];
      }
      at = end;
    }
    this.#kept = all.slice(at);
  }
}
