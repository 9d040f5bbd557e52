/** Answers the system calls that a filter asks about (seccomp_unotify(2)). */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { until } from "./runtime.ts";

/** ioctl(2) numbers of linux/seccomp.h */
const RECEIVE = 0xc0502100n;
const SEND = 0xc0182101n;
/** Sizes of struct seccomp_notif and struct seccomp_notif_resp. */
const [QUESTION, ANSWER] = [80, 24];
const CONTINUE = 1;
const TIMEOUT = 60_000;

/** What the runtime sent with the listener. */
// deno-lint-ignore no-explicit-any -- tests look at it as JSON
type Message = any;

/** A system call that waits. */
export interface Question {
  readonly number: number;
  readonly args: readonly bigint[];
}

/** Lets the call go on, or ends it with an error number or a result. */
export type Answer = "continue" | { readonly error: number } | { readonly result: number };

const libc = () =>
  Deno.dlopen("libc.so.6", {
    ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  });

/** Listens at a socket until it is disposed of. */
export class SeccompAgent implements AsyncDisposable {
  readonly messages: Message[] = [];
  readonly questions: Question[] = [];
  readonly #served: Promise<void>[] = [];
  readonly #socket: number;
  readonly #libc = libc();
  #stopped = false;

  private constructor(
    readonly helper: Helper,
    readonly path: string,
    readonly answer: (question: Question) => Answer,
  ) {
    this.#socket = helper.listenUnix(path);
    this.#served.push(this.#acceptAll());
  }

  static async open(
    path: string,
    answer: (question: Question) => Answer = () => "continue",
  ): Promise<SeccompAgent> {
    return new SeccompAgent(await loadHelper(), path, answer);
  }

  /** How often a system call was asked about. */
  count(number: number): number {
    return this.questions.filter((question) => question.number === number).length;
  }

  /** The messages, once there are as many. */
  async received(count: number): Promise<Message[]> {
    await until(`${count} listeners have come`, () => this.messages.length >= count);
    return this.messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    while (this.#served.length > 0) await this.#served.pop();
    this.helper.close(this.#socket);
    this.#libc.close();
  }

  async #acceptAll(): Promise<void> {
    while (await this.#readable(this.#socket)) {
      this.#served.push(this.#receive(this.helper.accept(this.#socket, TIMEOUT)));
    }
  }

  async #receive(connection: number): Promise<void> {
    if (await this.#readable(connection)) {
      const { fd, text } = this.helper.receiveFd(connection, TIMEOUT);
      this.#served.push(this.#serve(fd));
      this.messages.push(JSON.parse(text + await this.#rest(connection)));
    }
    this.helper.close(connection);
  }

  /** What comes up to the end of the connection: a message may be longer than one read. */
  async #rest(connection: number): Promise<string> {
    const bytes = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    for (let text = ""; await this.#readable(connection);) {
      const length = this.helper.read(connection, bytes);
      if (length === 0) return text;
      text += decoder.decode(bytes.subarray(0, length), { stream: true });
    }
    return "";
  }

  /** Until nobody has the filter any more. */
  async #serve(fd: number): Promise<void> {
    while (await this.#readable(fd)) {
      const question = new Uint8Array(new ArrayBuffer(QUESTION));
      if (this.#libc.symbols.ioctl(fd, RECEIVE, question) < 0) break;
      const view = new DataView(question.buffer);
      const args = [0, 1, 2, 3, 4, 5].map((index) => view.getBigUint64(32 + index * 8, true));
      this.questions.push({ number: view.getInt32(16, true), args });
      this.#send(fd, view.getBigUint64(0, true), this.answer(this.questions.at(-1)!));
    }
    this.helper.close(fd);
  }

  #send(fd: number, id: bigint, answer: Answer): void {
    const bytes = new Uint8Array(new ArrayBuffer(ANSWER));
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, id, true);
    if (answer === "continue") view.setUint32(20, CONTINUE, true);
    else if ("error" in answer) view.setInt32(16, -answer.error, true);
    else view.setBigInt64(8, BigInt(answer.result), true);
    this.#libc.symbols.ioctl(fd, SEND, bytes); // fails if the process has been killed
  }

  async #readable(fd: number): Promise<boolean> {
    while (!this.#stopped) {
      if ((await this.helper.awaitFds([fd], { timeoutMs: 20 })).length > 0) return true;
    }
    return false;
  }
}
