/** Takes the place of ffi/build_id.ts in the linked executable, which knows its library. */

/** Written by the linker. */
declare const BUILD_ID: string;

/** Whether it is the library that the executable was linked with. */
export function isOurs(buildId: string): Promise<boolean> {
  return Promise.resolve(buildId === BUILD_ID);
}
