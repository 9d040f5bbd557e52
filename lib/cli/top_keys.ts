/** What keys do to `top`, and when it reads again. */

import { COLUMN_NAMES, type ColumnName, COLUMNS, type Order } from "./top_view.ts";

/** Keys that sort by a column. */
const SORTS: Readonly<Record<string, ColumnName>> = {
  P: "cpu",
  M: "memory",
  T: "time",
  N: "id",
};
/** Those that end it: also Control-C and Control-D. */
const ENDS = ["q", "Q", "\x03", "\x04"];
/** Shortest and longest interval, in ms. */
const LEAST = 250;
const MOST = 64_000;

/** The order and the interval that were chosen last. */
export class TopKeys {
  order: Order;
  #interval: number;
  #due = 0;

  /** `interval`: between two readings, in ms. */
  constructor(order: Order, interval: number) {
    this.order = order;
    this.#interval = interval;
  }

  /** Whether it is time to read; `now` in ms. */
  isDue(now: number): boolean {
    return now >= this.#due;
  }

  /** It has been read. */
  read(now: number): void {
    this.#due = now + this.#interval;
  }

  /** What is left until then, in ms. */
  left(now: number): number {
    return Math.max(0, this.#due - now);
  }

  /** How the table is sorted, and the keys. */
  get line(): string {
    const { by, reverse } = this.order;
    const sorted = `by ${COLUMNS[by].heading}${reverse ? ", reversed" : ""}`;
    return `${sorted}, every ${this.#interval / 1000} s   ` +
      "q quit  P M T N < > sort  R reverse  space now  + - interval";
  }

  /** A key; one that means nothing does nothing. */
  press(key: string): "end" | "go on" {
    if (ENDS.includes(key)) return "end";
    const sort = SORTS[key];
    if (sort !== undefined) this.order = { ...this.order, by: sort };
    else if (key === "R") this.order = { ...this.order, reverse: !this.order.reverse };
    else if (key === "<" || key === ">") this.#move(key === ">" ? 1 : -1);
    else if (key === " ") this.#due = 0;
    else if (key === "+") this.#pace(2);
    else if (key === "-") this.#pace(1 / 2);
    return "go on";
  }

  #move(by: number): void {
    const place = COLUMN_NAMES.indexOf(this.order.by) + by;
    const name = COLUMN_NAMES[place];
    if (name !== undefined) this.order = { ...this.order, by: name };
  }

  #pace(factor: number): void {
    this.#interval = Math.min(MOST, Math.max(LEAST, this.#interval * factor));
    this.#due = 0;
  }
}
