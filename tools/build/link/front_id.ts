/** Takes the place of lib/base/front_id.ts in the linked executable, which has a front. */

/** Written by the linker. */
declare const FRONT_ID: string;

/** 32 hexadecimal digits for the front and all that decides what it may do. */
export function frontId(): string {
  return FRONT_ID;
}
