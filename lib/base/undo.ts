/** What to take back when a verb fails half-way. */

/** Steps back, the newest first. */
export class Undo {
  readonly #steps: (() => unknown)[] = [];

  /** Adds a step. */
  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Takes back everything; one step that fails does not keep the others from being tried. */
  async run(onFailure: (error: unknown) => void): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        onFailure(error);
      }
    }
  }
}
