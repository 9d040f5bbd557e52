/**
 * The build of the front, which performs verbs without Deno; undefined where there is no front: it is
 * part of the linked executable alone (tools/build/link/front_id.ts).
 */
export function frontId(): string | undefined {
  return undefined;
}
