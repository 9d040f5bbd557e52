/** Cuts a stream of text into lines, without what ends them. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let held = "";
    super({
      transform(chunk, controller) {
        const lines = (held + chunk).split("\n");
        held = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
    });
  }
}
