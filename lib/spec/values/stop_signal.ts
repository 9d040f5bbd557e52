/** The signal that an image wants to be stopped with. */

import { isRuntsError, quote } from "../../base/errors.ts";
import { parseSignal } from "./signals.ts";

/** Annotation of an image's configuration (image-spec, annotations.md). */
const STOP_SIGNAL = "org.opencontainers.image.stopSignal";

/** Undefined where the annotations name none. */
export function annotatedSignal(
  annotations: Readonly<Record<string, string>> | undefined,
): number | undefined {
  const text = annotations?.[STOP_SIGNAL];
  if (text === undefined) return undefined;
  try {
    return parseSignal(text);
  } catch (error) {
    const configPath = `annotations[${quote(STOP_SIGNAL)}]`;
    throw isRuntsError(error) ? error.with({ configPath }) : error;
  }
}
